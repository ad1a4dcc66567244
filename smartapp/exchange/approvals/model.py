"""An app's request, checked, before anybody said yes. Pure."""

from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True)
class Asked:
    """An authorization request whose client, redirect URI, scope and challenge were checked (RFC 6749 §4.1.1).

    `scope` is the scope string as asked; `launch` our own launch value, spent, or empty; `prompt` as OpenID Connect
    has it; `fhir_context` references of the launch (`ImagingStudy/…`). `offline_tried`: the person was already sent to
    the EHR for a credential that lasts.
    """

    provider: str
    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    scope: str
    nonce: str = field(default="", repr=False)
    challenge: str = field(default="", repr=False)
    launch: str = field(default="", repr=False)
    prompt: str = ""
    fhir_context: tuple[str, ...] = ()
    offline_tried: bool = False


def answer_url(asked: Asked, issuer: str, **params: str) -> str:
    """Where the browser goes with the answer: `params`, the app's `state`, and who answers (RFC 6749 §4.1.2, RFC 9207).

    The redirect URI keeps a query of its own (RFC 6749 §3.1.2).
    """
    query = {**params, **({"state": asked.state} if asked.state else {}), "iss": issuer}
    return f"{asked.redirect_uri}{'&' if '?' in asked.redirect_uri else '?'}{urlencode(query)}"
