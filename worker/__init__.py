"""Behaviour: what happens to a cancellation from request to outcome."""
