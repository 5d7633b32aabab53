"""Anula beside other task queues on the same work: `make bench-peers`."""
