"""A code is shown: taken first, looked at then (RFC 6749 §4.1.3, RFC 9700 §2.1.1)."""

from datetime import datetime

from sqlalchemy.orm import Session

from smartapp.consent.scopes.grammar import text
from smartapp.tokens.apps import codes, store
from smartapp.tokens.apps.codes import Shown
from smartapp.tokens.apps.model import Issued
from smartapp.tokens.apps.stated import stated, within
from smartapp.tokens.apps.tools import Tools
from smartapp.tokens.apps.trail import Refused


def redeem(
    tools: Tools, session: Session, provider: str, code: str, *, client_id: str, redirect_uri: str, verifier: str
) -> Issued | Refused:
    """What the code buys, or why nothing; within the caller's write, which is to be committed in both cases."""
    now = tools.clock.now()
    shown = tools.codes.take(
        session, provider, code, now, client_id=client_id, redirect_uri=redirect_uri, verifier=verifier
    )
    if shown is None:
        return Refused("oauth.code.unknown", client_id=client_id)
    fault = codes.fault(shown, now)
    if fault is None:
        return _buy(tools, session, provider, shown, now)
    stopped = not shown.first and tools.stop(session, shown.family_id, shown.facts.grant_id, "replay")
    grant = tools.grants.find(session, shown.facts.grant_id)
    return Refused(fault.kind, fault.severity, client_id, grant, stopped=stopped)


def _buy(tools: Tools, session: Session, provider: str, shown: Shown, now: datetime) -> Issued | Refused:
    facts = shown.facts
    grant = tools.grants.find(session, facts.grant_id)
    offered = tools.liveness.may_have(session, provider, facts.client_id, grant, now)
    if grant is None or offered is None:
        return Refused("oauth.code.dead_grant", client_id=facts.client_id, grant=grant)
    family, token = tools.families.open(session, provider, shown.family_id, facts, grant, now)
    if not tools.liveness.browser(family.session_id):
        store.end_family(session, family.id, now, "session")
        return Refused("oauth.code.dead_grant", client_id=facts.client_id, grant=grant)
    store.keep_code(session, shown.code_ref, family.expires_at)
    scope = text(within(stated(family.scope, grant.terms, tools.masks.shown(grant)), offered))
    handed = tools.access.issue(session, provider, family, scope, grant.expires_at, now)
    return Issued(handed.raw, handed.seconds, scope, token, family, grant)
