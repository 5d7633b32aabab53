"""The providers: one folder each, an adapter, its code tables and its wire format."""
