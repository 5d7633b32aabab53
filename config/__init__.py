"""Values: settings, accounts, retry policies, Celery's configuration, log format."""
