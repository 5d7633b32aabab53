"""CSV files as requests (docs/csv.md)."""
