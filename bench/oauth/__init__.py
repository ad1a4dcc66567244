"""The token side, against django-oauth-toolkit on the same PostgreSQL, which writes to its disk."""
