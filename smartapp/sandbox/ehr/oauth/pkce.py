"""Proof Key for Code Exchange, S256 only (RFC 7636)."""

import base64
import hashlib
import hmac
import re

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether a text can be an S256 challenge: 32 bytes in base64url (RFC 7636 §4.2)."""
    return bool(_CHALLENGE.fullmatch(text))


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a verifier is well formed (§4.1) and belongs to the challenge (§4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
