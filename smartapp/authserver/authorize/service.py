"""Walks the checks, and keeps what passed for the patient."""

from smartapp.audit.model import Event
from smartapp.authserver import addresses
from smartapp.authserver.authorize.asking import Asking
from smartapp.authserver.authorize.checks import AFTER, BEFORE
from smartapp.authserver.authorize.refusals import AnswerRefused, PageRefused
from smartapp.consent.scopes import grammar
from smartapp.exchange.approvals.model import Asked, answer_url
from smartapp.web.parts import parts


def handle(asking: Asking) -> str:
    """The handle of a request that passed every check: it waits for the patient's word.

    Raises PageRefused and AnswerRefused, after they were written down.
    """
    try:
        for check in (*BEFORE, *AFTER):
            check(asking)
    except (PageRefused, AnswerRefused) as refusal:
        record(asking, refusal)
        raise
    asked = Asked(
        provider=asking.provider,
        client_id=asking.app.client_id,
        redirect_uri=asking.redirect_uri,
        state=asking.state,
        scope=grammar.text(asking.scopes),
        nonce=asking.get("nonce"),
        challenge=asking.get("code_challenge"),
        launch=asking.launch,
        prompt=asking.get("prompt"),
        max_age=int(asking.get("max_age")) if asking.get("max_age") else None,
        fhir_context=asking.fhir_context,
    )
    begun = parts().approvals.begin(asked)
    _trace(asking)
    return begun


def refused_url(asking: Asking, refusal: AnswerRefused) -> str:
    """Where the app is told of an error (RFC 6749 §4.1.2.1): only ever its own, checked address."""
    asked = Asked(asking.provider, asking.app.client_id, asking.redirect_uri, asking.state, scope="")
    issuer = addresses.issuer(asking.provider)
    return answer_url(asked, issuer, error=refusal.error, error_description=refusal.description)


def record(asking: Asking, refusal: PageRefused | AnswerRefused) -> None:
    """Writes a refusal down: before it is answered, and without anything that was sent."""
    client_id = asking.client.client_id if asking.client else ""
    parts().audit.record(
        Event(
            refusal.kind,
            detail={"client": client_id, "why": refusal.why},
            request_id=asking.reference,
            provider=asking.provider,
        )
    )
    if isinstance(refusal, AnswerRefused):
        _trace(asking, error=refusal.error, why=refusal.why)
    else:
        _trace(asking, error="unauthorized_client" if refusal.waiting else "invalid_request", why=refusal.why)


def _trace(asking: Asking, *, error: str = "", why: str = "") -> None:
    if asking.client is not None:
        parts().traces.note(
            asking.provider, asking.client.client_id, "authorize", error=error, why=why, request_id=asking.reference
        )
