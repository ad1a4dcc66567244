"""The history of the tables (Alembic). A new revision: `python -m smartapp.migrations 0002 what it does`."""
