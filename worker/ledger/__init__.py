"""The ledger: the truth about every job, in Redis, changed only by the scripts in `lua/`."""
