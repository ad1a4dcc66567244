"""Proof Key for Code Exchange (RFC 7636), S256 only."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256


def new_verifier() -> str:
    """A code verifier: 43 unreserved characters that carry 256 bits (RFC 7636 §4.1)."""
    return secrets.token_urlsafe(32)


def s256(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
