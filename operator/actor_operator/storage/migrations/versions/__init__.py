"""The steps, each a file, the oldest first."""
