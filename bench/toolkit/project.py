"""Its settings. The database's folder and name come from the environment."""

import os

SECRET_KEY = os.environ["TOOLKIT_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.toolkit.addresses"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CONN_MAX_AGE = 600
"""Seconds: a connection is kept, as ours are."""
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["TOOLKIT_HOST"],
        "NAME": os.environ["TOOLKIT_DATABASE"],
        "USER": "postgres",
        "CONN_MAX_AGE": CONN_MAX_AGE,
    }
}
OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Read", "introspection": "Introspect"},
    "PKCE_REQUIRED": True,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 3600,
}
