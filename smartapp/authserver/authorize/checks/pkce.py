"""Proof Key for Code Exchange (RFC 7636), of every client, S256 only (SMART App Launch 2.2)."""

import re
from typing import Final

from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.refusals import AnswerRefused

_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_KIND: Final = "oauth.pkce.missing"


def check(asking: Asking) -> None:
    """A challenge of SHA-256, as base64url writes it. Without a method it would be `plain` (§4.3), which is refused."""
    challenge, method = asking.get("code_challenge"), asking.get("code_challenge_method")
    if not challenge:
        raise AnswerRefused("invalid_request", "pkce-missing", "code_challenge is missing.", kind=_KIND)
    if method != "S256":
        raise AnswerRefused("invalid_request", "pkce-method", "code_challenge_method must be S256.", kind=_KIND)
    if not _S256.fullmatch(challenge):
        raise AnswerRefused(
            "invalid_request", "pkce-form", "code_challenge must be 43 characters of base64url.", kind=_KIND
        )
