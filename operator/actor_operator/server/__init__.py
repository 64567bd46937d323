"""The HTTP edge of the API server: routes without logic."""
