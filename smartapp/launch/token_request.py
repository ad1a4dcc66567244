"""Requests to the EHR's token endpoint (RFC 6749 §4.1.3, §6) and revocation endpoint (RFC 7009 §2.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smartapp.errors import UpstreamMalformed
from smartapp.launch.client_auth import Identity
from smartapp.launch.model import Metadata
from smartapp.launch.strict_json import json_object
from smartapp.outbound.service import Door

MAX_BYTES = 256 * 1024
SECONDS = 15.0
_ERROR = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class TokenReply:
    """The endpoint's word: `answer` when it gave tokens, else the published `error` code (empty if it gave none)."""

    answer: Mapping[str, object] | None
    error: str = ""

    def __repr__(self) -> str:
        return f"TokenReply(error={self.error!r})"


def ask_token(door: Door, identity: Identity, metadata: Metadata, form: Mapping[str, str]) -> TokenReply:
    """Posts one grant, once: a grant that may have been spent is never sent again.

    Raises UpstreamDown or UpstreamSlow when the EHR does not answer, UpstreamMalformed when the answer is no JSON.
    """
    proof = identity.proof(metadata.token_endpoint)
    reply = door.request(
        "POST",
        metadata.token_endpoint,
        headers={"Accept": "application/json", **proof.headers},
        form={**form, **proof.form},
        max_bytes=MAX_BYTES,
        retry=False,
        total=SECONDS,
    )
    body = _object(reply.body)
    if reply.status == 200:
        if body is None:
            raise UpstreamMalformed("token-answer")
        return TokenReply(body)
    error = (body or {}).get("error")
    return TokenReply(None, error if isinstance(error, str) and _ERROR.fullmatch(error) else "")


def code_grant(code: str, verifier: str, redirect_uri: str) -> dict[str, str]:
    """The form that redeems an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }


def revoke(door: Door, identity: Identity, metadata: Metadata, token: str, hint: str) -> None:
    """Gives a token back (RFC 7009 §2.1); `hint` is its kind. Raises Upstream errors; the answer has no content."""
    if metadata.revocation_endpoint is None:
        return
    proof = identity.proof(metadata.token_endpoint)
    door.request(
        "POST",
        metadata.revocation_endpoint,
        headers=dict(proof.headers),
        form={"token": token, "token_type_hint": hint, **proof.form},
        max_bytes=MAX_BYTES,
        retry=False,
        total=SECONDS,
    )


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        return json_object(body)
    except ValueError:
        return None
