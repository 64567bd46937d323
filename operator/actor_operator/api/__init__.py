"""The kinds that users write, as types."""
