"""What the API server keeps: rows in a database, large bodies in an object store."""
