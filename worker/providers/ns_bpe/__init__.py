"""NS Tecnologia BP-e: cancel, look up and download over REST (docs/providers/ns-bpe.md)."""
