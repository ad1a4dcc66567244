"""Whether a verifier is the one whose challenge was shown at the beginning (RFC 7636 §4.6). S256 and nothing else."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
"""RFC 7636 §4.1."""
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""RFC 7636 §4.2: a SHA-256 in base64url, without padding."""


def is_challenge(challenge: str) -> bool:
    """Whether it can be the challenge of a verifier."""
    return _CHALLENGE.fullmatch(challenge) is not None


def verifies(verifier: str, challenge: str) -> bool:
    """Whether `verifier` gives `challenge`, compared in constant time."""
    if not _VERIFIER.fullmatch(verifier) or not is_challenge(challenge):
        return False
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())
