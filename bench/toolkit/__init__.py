"""A Django project with nothing but django-oauth-toolkit in it, in a virtual environment of its own."""
