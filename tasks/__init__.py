"""Doors: what Celery calls."""
