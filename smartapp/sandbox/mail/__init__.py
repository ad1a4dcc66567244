"""A mail server that delivers to nobody: what it takes can be read by everybody on this machine."""
