"""What apps hold: codes, access tokens, and refresh tokens in families."""
