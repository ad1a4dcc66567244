"""An app's request, checked, before anybody said yes. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode


@dataclass(frozen=True)
class Asked:
    """An authorization request whose client, redirect URI, scope and challenge were checked (RFC 6749 §4.1.1).

    `scope` is the scope string as asked; `launch` our own launch value, spent, or empty; `prompt` as OpenID Connect
    has it; `max_age` (seconds) how long ago the person may have proved who they are; `fhir_context` references of the
    launch (`ImagingStudy/…`). `offline_tried`: the person was already sent to the EHR for a credential that lasts.
    `asked_at` (UTC) is when the request was kept.
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
    max_age: int | None = None
    asked_at: datetime | None = None

    @property
    def wants_sign_in(self) -> bool:
        """Whether the app says anything of how the person has to sign in (OpenID Connect Core 1.0 §3.1.2.1)."""
        return "login" in self.prompt.split() or self.max_age is not None

    def sign_in_is_too_old(self, began_at: datetime, auth_time: datetime | None, now: datetime) -> bool:
        """Whether the person has to prove anew who they are, in a session that began at `began_at`.

        Never in one that began after the app asked: it comes of that proof, and the app reads in `auth_time` what the
        EHR made of it. All times are aware.
        """
        if self.asked_at is None or began_at >= self.asked_at:
            return False
        if "login" in self.prompt.split():
            return True
        return self.max_age is not None and now - (auth_time or began_at) > timedelta(seconds=self.max_age)


def answer_url(asked: Asked, issuer: str, **params: str) -> str:
    """Where the browser goes with the answer: `params`, the app's `state`, and who answers (RFC 6749 §4.1.2, RFC 9207).

    The redirect URI keeps a query of its own (RFC 6749 §3.1.2).
    """
    query = {**params, **({"state": asked.state} if asked.state else {}), "iss": issuer}
    return f"{asked.redirect_uri}{'&' if '?' in asked.redirect_uri else '?'}{urlencode(query)}"
