"""The public keys of our id_tokens."""
