"""Identifiers and secrets, from the system's random source."""

import secrets


def new_id(prefix: str) -> str:
    """An identifier that cannot be guessed (128 bits), said to be of a kind by its prefix: `ses-…`."""
    return f"{prefix}-{secrets.token_urlsafe(16)}"


def new_secret(prefix: str) -> str:
    """A secret to hand out once (256 bits). The prefix lets scanners recognise one that was leaked."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
