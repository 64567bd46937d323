"""Alembic's environment and the steps of the database's form."""
