"""An access token is shown to us as a server of resources, or somebody asks what a token is (RFC 6750, RFC 7662)."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant, GrantState
from smartapp.consent.principal import AppPrincipal
from smartapp.consent.scopes.grammar import text
from smartapp.consent.scopes.model import Level, Scopes
from smartapp.db.look import Reader
from smartapp.errors import GrantHeld, NotSignedIn, ScopeMissing
from smartapp.identity.model import PrincipalKind
from smartapp.tokens.apps import store
from smartapp.tokens.apps.families import Place
from smartapp.tokens.apps.model import TokenState
from smartapp.tokens.apps.stated import stated, within
from smartapp.tokens.apps.store import StoredAccess, StoredFamily
from smartapp.tokens.apps.tools import Tools
from smartapp.tokens.apps.trail import Refused

_NO_PATIENT: Final = "no-patient"


class NoContext(ScopeMissing):
    """A token that stands for no patient. `of_patients`: its scope speaks of one all the same."""

    def __init__(self, client_id: str, *, of_patients: bool) -> None:
        super().__init__(_NO_PATIENT)
        self.client_id = client_id
        self.of_patients = of_patients


class TokenOver(NotSignedIn):
    """An access token that was good once, whose family or grant is over."""

    def __init__(self, token_ref: str, family_id: str) -> None:
        super().__init__("token")
        self.token_ref = token_ref
        self.family_id = family_id


def look_up(tools: Tools, reader: Reader, provider: str, raw: str, now: datetime) -> tuple[AppPrincipal, Grant]:
    """Who asks with an access token, and its grant. NotSignedIn, GrantHeld, ScopeMissing as `AppTokens.lookup`."""
    row = tools.access.find(reader, provider, raw, now)
    offered = tools.liveness.offered(reader, provider, row.client_id) if row is not None else None
    if row is None or offered is None:
        raise NotSignedIn("token")
    if row.family_id is None:
        scopes = within(tools.access.scope(row), offered)
        raise NoContext(row.client_id, of_patients=any(each.level is Level.PATIENT for each in scopes.resources))
    found = tools.liveness.known(reader, row.family_id, now)
    if found is None:
        raise TokenOver(row.token_ref, row.family_id)
    family, grant = found
    if grant.state is not GrantState.ACTIVE:
        raise GrantHeld(grant.state)
    return _principal(tools, row, family, grant, within(tools.access.scope(row), offered)), grant


def state(tools: Tools, reader: Reader, provider: str, raw: str, now: datetime) -> TokenState | None:
    """What a token is good for now; None when that is nothing."""
    if tools.secrets.kind(raw) == "srt":
        return _refresh_token(tools, reader, provider, raw, now)
    return _access_token(tools, reader, provider, raw, now)


def _principal(tools: Tools, row: StoredAccess, family: StoredFamily, grant: Grant, scopes: Scopes) -> AppPrincipal:
    """What runs ends with the first of the token, its family and the grant: a download too, and is asked for again."""
    return AppPrincipal(
        kind=PrincipalKind.APP,
        person_id=grant.person_id,
        session_id=grant.id,
        context_id=family.id,
        patient=grant.patient,
        credential_id=grant.credential_id,
        expires_at=_ends(row, family, grant),
        client_id=family.client_id,
        grant_id=grant.id,
        scopes=scopes,
        terms=grant.terms,
        grant_version=grant.version,
        alias_key=tools.masks.key(grant),
        token_ref=row.token_ref,
    )


def _ends(row: StoredAccess, family: StoredFamily, grant: Grant) -> datetime:
    return min(row.expires_at, family.expires_at, grant.expires_at or row.expires_at)


def _access_token(tools: Tools, reader: Reader, provider: str, raw: str, now: datetime) -> TokenState | None:
    row = tools.access.find(reader, provider, raw, now)
    offered = tools.liveness.offered(reader, provider, row.client_id) if row is not None else None
    if row is None or offered is None:
        return None
    scopes = within(tools.access.scope(row), offered)
    scope = text(scopes)
    if row.family_id is None and not scopes.resources:
        return None
    if row.family_id is None:
        return TokenState("access", row.client_id, scope, row.issued_at, row.expires_at)
    found = tools.liveness.known(reader, row.family_id, now)
    if found is None or found[1].state is not GrantState.ACTIVE:
        return None
    family, grant = found
    ends = _ends(row, family, grant)
    return TokenState("access", row.client_id, scope, row.issued_at, ends, tools.families.family(family), grant)


def forget(tools: Tools, session: Session, provider: str, over: TokenOver, request_id: str) -> None:
    """Removes a token that is over for good, and writes down that it was shown: once, as it is unknown from then on."""
    row = store.family(session, over.family_id)
    grant = tools.grants.find(session, row.grant_id) if row is not None else None
    if row is None or not tools.liveness.over_for_good(row, grant, tools.clock.now()):
        return
    if store.remove_access(session, over.token_ref):
        refused = Refused("authz.revoked", client_id=row.client_id, grant=grant, detail={"family": row.id})
        tools.trail.refused(session, provider, refused, request_id)


def knows(tools: Tools, reader: Reader, provider: str, raw: str) -> bool:
    """Whether this provider handed it out, good for something or not, and it is still remembered."""
    ref = tools.secrets.ref(provider, raw)
    found = {"sat": store.access, "srt": store.refresh, "sac": store.code}
    kind = tools.secrets.kind(raw)
    return kind is not None and found[kind](reader, ref) is not None


def _refresh_token(tools: Tools, reader: Reader, provider: str, raw: str, now: datetime) -> TokenState | None:
    """Only the newest of its family. It can be used while the grant is held, so it is good for something then."""
    known = store.refresh(reader, tools.secrets.ref(provider, raw))
    found = tools.liveness.known(reader, known[0], now) if known else None
    if known is None or found is None:
        return None
    row, grant = found
    if tools.families.place(row, known[1], now) is not Place.NEWEST:
        return None
    offered = tools.liveness.offered(reader, provider, row.client_id)
    if offered is None:
        return None
    family = tools.families.family(row)
    scope = text(within(stated(family.scope, grant.terms, tools.masks.shown(grant)), offered))
    return TokenState("refresh", row.client_id, scope, row.rotated_at, row.expires_at, family, grant)
