"""An app gives a token back (RFC 7009 §2.1): the whole family ends, so that what runs under it breaks off."""

from sqlalchemy.orm import Session

from smartapp.tokens.apps import store
from smartapp.tokens.apps.store import StoredAccess, StoredFamily
from smartapp.tokens.apps.tools import Tools
from smartapp.tokens.apps.trail import Refused


def revoke(tools: Tools, session: Session, provider: str, raw: str, client_id: str, request_id: str) -> Refused | None:
    """Ends it. A refusal when it is another client's; None when it ended, or there was nothing to end."""
    token, family = _find(tools, session, provider, raw)
    owner = family.client_id if family else token.client_id if token else client_id
    if owner != client_id:
        return Refused("oauth.revoke.client_mismatch", "high", client_id)
    if family is not None:
        if store.end_family(session, family.id, tools.clock.now(), "revoked"):
            grant = tools.grants.find(session, family.grant_id)
            tools.trail.revoked(session, provider, client_id, grant, request_id)
    elif token is not None:
        store.remove_access(session, token.token_ref)
        tools.trail.revoked(session, provider, client_id, None, request_id)
    return None


def _find(tools: Tools, session: Session, provider: str, raw: str) -> tuple[StoredAccess | None, StoredFamily | None]:
    """What the token itself says it is: a wrong `token_type_hint` misleads nobody. A spent refresh token ends its
    family too.
    """
    token = tools.access.find(session, provider, raw, tools.clock.now())
    family_id = token.family_id if token else None
    if tools.secrets.kind(raw) == "srt":
        known = store.refresh(session, tools.secrets.ref(provider, raw))
        family_id = known[0] if known else None
    return token, store.family(session, family_id) if family_id else None
