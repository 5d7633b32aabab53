"""Spreadsheet exports as cancellation requests: read, checked row by row, staged outside of memory (docs/csv.md)."""
