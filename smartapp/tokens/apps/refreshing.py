"""A refresh token is shown: its family moves on by one, or dies (RFC 6749 §6, RFC 9700 §4.14.2)."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant
from smartapp.consent.scopes.grammar import text
from smartapp.tokens.apps import store
from smartapp.tokens.apps.families import Place
from smartapp.tokens.apps.model import Issued
from smartapp.tokens.apps.stated import stated, within
from smartapp.tokens.apps.store import StoredFamily
from smartapp.tokens.apps.tools import Tools
from smartapp.tokens.apps.trail import Refused


def refresh(
    tools: Tools, session: Session, provider: str, token: str, client_id: str | None, narrow: Callable[[str], str]
) -> Issued | Refused:
    """The next tokens, or why there are none; within the caller's write, which is to be committed in both cases."""
    now = tools.clock.now()
    found = _find(tools, session, provider, token)
    if found is None:
        return Refused("oauth.refresh.unknown", client_id=client_id or "")
    row, number = found
    grant = tools.grants.find(session, row.grant_id)
    refused = _of_another(tools, session, row, client_id, grant)
    if refused is not None:
        return refused
    offered = tools.liveness.may_have(session, row.provider, row.client_id, grant, now)
    if grant is None or offered is None or not tools.liveness.family(row, now):
        return Refused("oauth.refresh.dead_grant", client_id=row.client_id, grant=grant)
    place = tools.families.place(row, number, now)
    if place is Place.SPENT:
        stopped = tools.stop(session, row.id, row.grant_id, "reuse")
        return Refused("oauth.refresh.reuse", "high", row.client_id, grant, stopped=stopped)
    most = text(within(stated(tools.families.family(row).scope, grant.terms, tools.masks.shown(grant)), offered))
    return _next(tools, session, row, place, grant, narrow(most), now)


def _find(tools: Tools, session: Session, provider: str, token: str) -> tuple[StoredFamily, int] | None:
    """The family, for this transaction alone, and the token's number in it."""
    if tools.secrets.kind(token) != "srt":
        return None
    known = store.refresh(session, tools.secrets.ref(provider, token))
    row = store.locked_family(session, known[0]) if known else None
    return (row, known[1]) if known and row else None


def _of_another(
    tools: Tools, session: Session, row: StoredFamily, client_id: str | None, grant: Grant | None
) -> Refused | None:
    """Only a public client need not say who it is. Another client's try leaves the family as it is."""
    if client_id == row.client_id or (client_id is None and not _confidential(tools, session, row)):
        return None
    detail = {"family_of": row.client_id}
    return Refused("oauth.refresh.client_mismatch", "high", client_id or "", grant, detail)


def _confidential(tools: Tools, session: Session, row: StoredFamily) -> bool:
    app = tools.apps.find(row.provider, row.client_id, session=session)
    return app is not None and app.confidential


def _next(
    tools: Tools,
    session: Session,
    row: StoredFamily,
    place: Place,
    grant: Grant,
    scope: str,
    now: datetime,
) -> Issued:
    if place is Place.NEWEST:
        family, token = tools.families.rotate(session, row, now)
    else:
        family, token = tools.families.family(row), tools.families.newest(row)
    handed = tools.access.issue(session, row.provider, family, scope, grant.expires_at, now)
    return Issued(handed.raw, handed.seconds, scope, token, family, grant, again=place is not Place.NEWEST)
