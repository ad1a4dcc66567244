"""Who signed in, for the holder of a token (OpenID Connect Core §5.3)."""
