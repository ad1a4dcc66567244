"""The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, SMART App Launch 2.2)."""

import re
import secrets
from urllib.parse import urlencode

from smartapp.ids import new_secret
from smartapp.launch.model import PendingFlow
from smartapp.launch.pkce import s256
from smartapp.launch.refusals import refuse
from smartapp.settings import Provider

_SECRET = re.compile(r"flow_[A-Za-z0-9_-]{43}")
MAX_LAUNCH = 4096


def flow_secret(brought: str | None) -> str:
    """The browser's flow secret: the one it has, so that several launches may be under way in it, or a new one."""
    return brought if brought is not None and _SECRET.fullmatch(brought) else new_secret("flow")


def new_state() -> str:
    """An unguessable state (RFC 6749 §10.12)."""
    return secrets.token_urlsafe(32)


def checked_launch(launch: str | None) -> str:
    """The EHR's launch value, opaque to us. Raises Refusal for none, a huge one, or one with control characters."""
    if not launch or len(launch) > MAX_LAUNCH or not launch.isprintable():
        refuse("smart.launch.bad")
    return launch


def authorize_url(
    provider: Provider, flow: PendingFlow, *, state: str, redirect_uri: str, launch: str | None, anew: bool = False
) -> str:
    """Where to send the browser. What the endpoint's own query says stays (RFC 6749 §3.1).

    `anew`: the person is to sign in even if they are (OpenID Connect Core 1.0 §3.1.2.1, `prompt`).
    """
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(flow.asked),
        "state": state,
        "aud": flow.iss,
        "nonce": flow.nonce,
        "code_challenge": s256(flow.verifier),
        "code_challenge_method": "S256",
        **({"launch": launch} if launch is not None else {}),
        **({"prompt": "login"} if anew else {}),
    }
    endpoint = flow.metadata.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
