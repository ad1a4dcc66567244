"""Use-cases that change who may have what: sign-ins now."""
