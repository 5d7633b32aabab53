"""`anula doctor`: looks at everything that Anula needs, changes nothing, and asks no provider for anything."""
