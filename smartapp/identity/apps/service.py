"""Registrations of third-party apps, at each provider's authorization server."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event, Severity
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.look import Reader
from smartapp.db.unit import Database
from smartapp.errors import BadInput, NotFound, NotSignedIn
from smartapp.identity.apps import rows, store
from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.apps.store import StoredApp
from smartapp.ids import new_id, new_secret
from smartapp.security.keyring import Keyring

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""Unreserved characters (RFC 3986 §2.3): another one is nobody's id, and databases refuse some of them."""
_NEED_A_GROUND: Final = frozenset({AppState.REFUSED, AppState.SUSPENDED})


@dataclass(frozen=True)
class Registered:
    """A registration just made. The secrets are handed out here and kept nowhere."""

    app: App
    client_secret: str | None = field(repr=False)
    registration_token: str = field(repr=False)


@dataclass(frozen=True)
class Standing:
    """What has to be read at every request. `offered` is what the operator lets it ask for; empty: no limit."""

    state: AppState
    offered: str


class Apps:
    """Keeps the registrations. One per process; safe to share by threads. Nothing is held in memory between calls."""

    def __init__(self, database: Database, keyring: Keyring, audit: AuditTrail, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._audit = audit
        self._clock = clock
        self._with_a_decision: list[Callable[[Session, App], None]] = []

    def when_decided(self, work: Callable[[Session, App], None]) -> None:
        """From now on `work(session, app)` is done within the write of each decision of the operator's. Said once, when
        the desk is built.
        """
        self._with_a_decision.append(work)

    def register(
        self,
        metadata: AppMetadata,
        *,
        provider: str,
        state: AppState,
        developer_id: str = "",
        request_id: str = "",
    ) -> Registered:
        """A new registration (RFC 7591 §3.2.1). Whoever has its registration token may read and change it, only it.

        There is a client secret only with `client_secret_basic`. The metadata was checked by the caller.
        """
        client_id, token, secret = new_id("app"), new_secret("srg"), None
        if metadata.token_endpoint_auth_method == "client_secret_basic":  # noqa: S105 -- a method's name
            secret = new_secret("scs")
        app = App(
            client_id=client_id,
            provider=provider,
            state=state,
            metadata=metadata,
            created_at=self._clock.now(),
            secret_ref=self._secret_ref(client_id, secret) if secret else "",
            registration_ref=self._registration_ref(provider, token),
            developer_id=developer_id,
        )

        def work(session: Session) -> None:
            store.add(session, self._stored(app), app.origins)
            self._record(session, "dcr.registered", app, request_id, {"state": state.value})

        self._database.run(work)
        return Registered(app, secret, token)

    def find(self, provider: str, client_id: str, *, session: Session | None = None) -> App | None:
        """The registration at this provider, whatever its state; None for an unknown or deleted one."""
        if not _CLIENT_ID.fullmatch(client_id):
            return None
        row = store.find(self._database if session is None else session, provider, client_id)
        return None if row is None or row.state == AppState.DELETED else rows.app(row)

    def named(self, provider: str, client_id: str) -> App | None:
        """As `find`, with those that were deleted: for a history that names them."""
        row = store.find(self._database, provider, client_id)
        return rows.app(row) if row else None

    def called(self, provider: str, client_id: str) -> tuple[str, ...]:
        """All that an app is called; nothing for one that nobody knows."""
        app = self.named(provider, client_id)
        return app.called if app is not None else ()

    def standing(self, reader: Reader, provider: str, client_id: str) -> Standing | None:
        """Where it stands now: one indexed read."""
        found = store.standing(reader, provider, client_id)
        return Standing(AppState(found[0]), found[1]) if found else None

    def registered(self, session: Session, provider: str, client_id: str) -> bool:
        """Whether it is one of ours, whatever its state, and was not deleted."""
        found = store.standing(session, provider, client_id) if _CLIENT_ID.fullmatch(client_id) else None
        return found is not None and found[0] != AppState.DELETED

    def by_registration_token(self, provider: str, client_id: str, token: str, *, request_id: str = "") -> App:
        """The app, for whoever holds its registration token (RFC 7592 §2).

        NotSignedIn for any other token, an unknown client and a deleted one, all alike; another app's token at this
        app's address is written down first.
        """
        with self._database.read() as session:
            row = store.by_registration(session, provider, self._registration_ref(provider, token))
        if row is not None and row.client_id == client_id:
            return rows.app(row)
        if row is not None:
            detail = {"client": row.client_id, "asked": client_id[:64]}
            self._audit.record(Event("dcr.idor", "high", provider=provider, detail=detail, request_id=request_id))
        raise NotSignedIn("registration-token")

    def check_secret(self, app: App, secret: str) -> bool:
        """Whether it is the app's secret, in constant time; never for an app that has none."""
        return bool(app.secret_ref) and hmac.compare_digest(app.secret_ref, self._secret_ref(app.client_id, secret))

    def update(self, app: App, metadata: AppMetadata, *, request_id: str = "") -> App:
        """Puts `metadata` (checked by the caller) in the place of what it said. NotFound for one that is gone.

        A secret stays while the method that uses it does, and is destroyed with it.
        """
        values: dict[str, Any] = {"said": rows.said(metadata)}
        if metadata.token_endpoint_auth_method != "client_secret_basic":  # noqa: S105 -- a method's name
            values["secret_ref"] = ""

        def work(session: Session) -> App:
            changed = self._change(session, app, values)
            store.set_origins(session, app.client_id, app.provider, changed.origins)
            self._record(session, "dcr.updated", changed, request_id)
            return changed

        return self._database.run(work)

    def new_secret(self, app: App, *, request_id: str = "") -> str:
        """A new client secret; the one before stops working at once. NotFound for an app that is gone."""
        secret = new_secret("scs")

        def work(session: Session) -> None:
            self._change(session, app, {"secret_ref": self._secret_ref(app.client_id, secret)})
            self._record(session, "dcr.secret", app, request_id)

        self._database.run(work)
        return secret

    def delete(self, app: App, *, request_id: str = "") -> None:
        """By its developer: everything under it has stopped (RFC 7592 §2.3). A second time it does nothing."""
        values = {"state": AppState.DELETED.value, "secret_ref": "", "registration_ref": ""}

        def work(session: Session) -> None:
            if store.change(session, app.provider, app.client_id, values) is None:
                return
            store.set_origins(session, app.client_id, app.provider, ())
            self._record(session, "dcr.deleted", app, request_id)

        self._database.run(work)

    def list(self, provider: str | None = None, state: AppState | None = None) -> tuple[App, ...]:
        """Registrations, newest first; those deleted only when they are asked for by state."""
        with self._database.read() as session:
            found = store.search(session, provider=provider, state=state.value if state else None)
        return tuple(rows.app(row) for row in found)

    def of_developer(self, developer_id: str) -> tuple[App, ...]:
        """A developer's registrations, newest first."""
        with self._database.read() as session:
            found = store.search(session, developer_id=developer_id)
        return tuple(rows.app(row) for row in found)

    def decide(
        self,
        provider: str,
        client_id: str,
        state: AppState,
        *,
        ground: str,
        by: str,
        offered: str | None = None,
        request_id: str = "",
    ) -> App:
        """The operator's decision; it holds from the next request on, on every worker.

        `by` says who decided. `offered` (a scope string) changes only when given. BadInput for a refusal or suspension
        without a stated ground, and for a deletion, which is the developer's; NotFound for an app that is not there.
        """
        if state in _NEED_A_GROUND and not ground.strip():
            raise BadInput("app.no-ground")
        if state is AppState.DELETED:
            raise BadInput("app.state")
        values: dict[str, Any] = {"state": state.value, "ground": ground, "decided_at": self._clock.now()}
        if offered is not None:
            values["offered"] = offered
        severity: Severity = "high" if state is AppState.SUSPENDED else "info"

        def work(session: Session) -> App:
            row = store.change(session, provider, client_id, values) if _CLIENT_ID.fullmatch(client_id) else None
            if row is None:
                raise NotFound
            app = rows.app(row)
            detail = {"state": state.value, "ground": ground, "by": by}
            self._record(session, "app.decided", app, request_id, detail, severity)
            for also in self._with_a_decision:
                also(session, app)
            return app

        return self._database.run(work)

    def origin_known(self, provider: str, origin: str) -> bool:
        """Whether a pending or active app has a redirect URI at this origin (as browsers write it)."""
        if not origin.isascii() or not origin.isprintable():
            return False
        with self._database.read() as session:
            return store.origin_known(session, provider, origin)

    def _change(self, session: Session, app: App, values: Mapping[str, Any]) -> App:
        row = store.change(session, app.provider, app.client_id, values)
        if row is None:
            raise NotFound
        return rows.app(row)

    def _stored(self, app: App) -> StoredApp:
        return StoredApp(
            client_id=app.client_id,
            provider=app.provider,
            state=app.state.value,
            said=rows.said(app.metadata),
            created_at=app.created_at,
            decided_at=app.decided_at,
            ground=app.ground,
            offered=app.offered,
            secret_ref=app.secret_ref,
            registration_ref=app.registration_ref,
            developer_id=app.developer_id,
        )

    def _record(
        self,
        session: Session,
        kind: str,
        app: App,
        request_id: str,
        detail: Mapping[str, str] | None = None,
        severity: Severity = "info",
    ) -> None:
        told = {"client": app.client_id, **(detail or {})}
        event = Event(kind, severity, provider=app.provider, detail=told, request_id=request_id)
        self._audit.record(event, session=session)

    def _secret_ref(self, client_id: str, secret: str) -> str:
        return self._keyring.mac("apps.secret", _bytes(client_id, secret))

    def _registration_ref(self, provider: str, token: str) -> str:
        return self._keyring.mac("apps.registration", _bytes(provider, token))


def _bytes(*parts: str) -> bytes:
    """What is hashed. Anything may be shown to us, halves of characters too."""
    return "\x1f".join(parts).encode("utf-8", "surrogatepass")
