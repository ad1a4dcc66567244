"""Developers sign in by a link in a mail, and look after the apps that are theirs."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.db.outbox.service import Outbox
from smartapp.db.unit import Database
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.developers import letters, store
from smartapp.exchange.developers.checks import contacts
from smartapp.exchange.developers.reading import Document
from smartapp.exchange.developers.registrations import Changed, Registrations
from smartapp.exchange.developers.store import StoredSession
from smartapp.exchange.developers.trace import Trace, Traces
from smartapp.identity.apps.model import App
from smartapp.identity.apps.service import Apps, Registered
from smartapp.ids import new_id, new_secret
from smartapp.security import envelope
from smartapp.security.keyring import Keyring
from smartapp.settings import Settings
from smartapp.tokens.single_use import SingleUse

LINK_SECONDS: Final = 30 * 60
_KIND: Final = "developers.link"
_WINDOW: Final = timedelta(hours=1)
_MOST_LINKS: Final = 5
_SEEN_EVERY: Final = timedelta(seconds=30)
_LONGEST_SECRET: Final = 100


class LinkRefused(BadInput):
    """A link or address that cannot be used; `code` says why: `developers.address`, `developers.link`."""


@dataclass(frozen=True)
class DeveloperSession:
    """A developer, signed in in one browser. `address` is the mail address that they showed to be theirs."""

    session_id: str
    developer_id: str
    address: str = field(repr=False)


class Developers:
    """The use-case. An app is its developer's alone: another's is NotFound."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        keyring: Keyring,
        datakeys: DataKeys,
        single_use: SingleUse,
        outbox: Outbox,
        apps: Apps,
        registrations: Registrations,
        traces: Traces,
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._keyring = keyring
        self._datakeys = datakeys
        self._single_use = single_use
        self._outbox = outbox
        self._apps = apps
        self._registrations = registrations
        self._traces = traces
        self._audit = audit
        self._clock = clock

    @property
    def available(self) -> bool:
        """Whether there is a mail server: without one nobody can be sent a link."""
        return bool(self._settings.mail.smtp_host)

    def ask(self, address: str, language: str, *, link_base: str, request_id: str) -> None:
        """Sends a link, `link_base` and a secret behind it, to `address`: whoever reads mail there may sign in.

        Raises LinkRefused for what is no address, NotFound without mail. After five links within an hour no more are
        sent to it, and the answer is the same: nobody learns here whose address is known.
        """
        if not self.available:
            raise NotFound
        if len(address) > contacts.LONGEST or not contacts.MAIL.fullmatch(address):
            raise LinkRefused("developers.address")
        raw = new_secret("sdl")
        ref = self._address_ref(address)
        link = f"{link_base}{raw}"
        draft = letters.sign_in_link(language, self._settings.server.base_url, link, LINK_SECONDS // 60)
        letter = {
            "to": address,
            "language": language,
            "subject": draft.subject,
            "text": draft.text,
            "not_after": (self._clock.now() + timedelta(seconds=LINK_SECONDS)).isoformat(),
        }

        def work(session: Session) -> str | None:
            developer_id = self._developer(session, address, ref)
            now = self._clock.now()
            if store.count_asked(session, developer_id, now, now - _WINDOW) > _MOST_LINKS:
                return None
            self._outbox.put(session, "mail", json.dumps(letter).encode())
            self._record(session, "developer.asked", developer_id, request_id)
            return developer_id

        developer_id = self._database.run(work)
        if developer_id is not None:
            self._single_use.put(_KIND, raw, LINK_SECONDS, developer_id.encode())

    def sign_in(self, raw: str, replaces: str | None, *, request_id: str) -> str:
        """Opens a session for whoever holds a link's secret, once; the secret of its cookie.

        `replaces` is the cookie that the browser sent: that session ends. Raises LinkRefused for a link that is used,
        too old, or none: all alike.
        """
        payload = self._single_use.take(_KIND, raw) if len(raw) <= _LONGEST_SECRET else None
        if payload is None:
            raise LinkRefused("developers.link")
        cookie, developer_id, now = new_secret("sds"), payload.decode(), self._clock.now()
        until = now + timedelta(seconds=self._settings.sessions.absolute)
        opened = StoredSession(new_id("dse"), self._cookie_ref(cookie), developer_id, now, until)

        def work(session: Session) -> None:
            old = store.session_by_cookie(session, self._cookie_ref(replaces)) if replaces else None
            if old is not None:
                store.end_session(session, old.id)
            store.open_session(session, opened, now)
            self._record(session, "developer.signed-in", developer_id, request_id)

        self._database.run(work)
        return cookie

    def lookup(self, cookie: str) -> DeveloperSession | None:
        """The live session that `cookie` opens, else None. It moves the idle limit (written every 30 seconds)."""
        with self._database.read() as reader:
            row = store.session_by_cookie(reader, self._cookie_ref(cookie))
            if row is None or not self._is_live(row, self._clock.now()):
                return None
            address = self._address(reader, row.developer_id)
        now = self._clock.now()
        if now - row.last_seen >= _SEEN_EVERY:
            self._database.run(lambda session: store.saw(session, row.id, now))
        return DeveloperSession(row.id, row.developer_id, address)

    def sign_out(self, developer: DeveloperSession, *, request_id: str) -> None:
        """Ends the session at once."""

        def work(session: Session) -> None:
            store.end_session(session, developer.session_id)
            self._record(session, "developer.signed-out", developer.developer_id, request_id)

        self._database.run(work)

    def end_all(self, session: Session) -> None:
        """Signs every developer out, within the caller's write."""
        store.end_all_sessions(session)

    def apps(self, developer: DeveloperSession) -> tuple[App, ...]:
        """The developer's apps, newest first."""
        return self._apps.of_developer(developer.developer_id)

    def app(self, developer: DeveloperSession, provider: str, client_id: str) -> App:
        """One of them; NotFound for another's, and for one that is gone."""
        found = self._apps.find(provider, client_id)
        if found is None or found.developer_id != developer.developer_id:
            raise NotFound
        return found

    def register(
        self, developer: DeveloperSession, provider: str, document: Document, *, address: str, request_id: str
    ) -> Registered:
        """A new app (see `Registrations.register`), from the network address `address`.

        NotFound for a hospital that there is not, TooMany for too many from one address, as for programs.
        """
        if provider not in {each.id for each in self._settings.providers}:
            raise NotFound
        self._registrations.admit(provider, address, request_id=request_id)
        return self._registrations.register(
            provider, document, developer_id=developer.developer_id, request_id=request_id
        )

    def change(
        self, developer: DeveloperSession, provider: str, client_id: str, document: Document, *, request_id: str
    ) -> Changed:
        """What the app says of itself, anew (see `Registrations.change`)."""
        return self._registrations.change(self.app(developer, provider, client_id), document, request_id=request_id)

    def new_secret(self, developer: DeveloperSession, provider: str, client_id: str, *, request_id: str) -> str:
        """A new client secret; the one before opens nothing any more."""
        return self._registrations.new_secret(self.app(developer, provider, client_id), request_id=request_id)

    def remove(self, developer: DeveloperSession, provider: str, client_id: str, *, request_id: str) -> None:
        """The app is gone, and with it everything that it held."""
        self._registrations.remove(self.app(developer, provider, client_id), request_id=request_id)

    def trace(self, developer: DeveloperSession, provider: str, client_id: str) -> tuple[Trace, ...]:
        """How the app's last requests fared, newest first."""
        app = self.app(developer, provider, client_id)
        return self._traces.of(app.provider, app.client_id)

    def _developer(self, session: Session, address: str, ref: str) -> str:
        """Who reads mail at `address`: known already, or new."""
        found = store.developer_at(session, ref)
        if found is not None:
            return found
        developer_id = new_id("dev")
        key = self._datakeys.for_patient(_owner(developer_id), session=session)
        sealed = envelope.seal(key, address.encode(), _aad(developer_id))
        if store.add_developer(session, developer_id, ref, sealed, self._clock.now()):
            return developer_id
        known = store.developer_at(session, ref)
        if known is None:
            raise NotFound
        return known

    def _address(self, session: Session, developer_id: str) -> str:
        sealed = store.sealed_address(session, developer_id)
        if sealed is None:
            raise NotFound
        key = self._datakeys.for_patient(_owner(developer_id), session=session)
        return envelope.open_(key, sealed, _aad(developer_id)).decode()

    def _is_live(self, row: StoredSession, now: datetime) -> bool:
        return now < row.last_seen + timedelta(seconds=self._settings.sessions.idle) and now < row.absolute_until

    def _record(self, session: Session, kind: str, developer_id: str, request_id: str) -> None:
        self._audit.record(Event(kind, principal_ref=developer_id, request_id=request_id), session=session)

    def _address_ref(self, address: str) -> str:
        """The part before the @ counts as written (RFC 5321 §2.4), the domain does not care for case."""
        local, _, domain = address.rpartition("@")
        return self._keyring.mac("developers.address", f"{local}@{domain.lower()}")

    def _cookie_ref(self, cookie: str) -> str:
        return self._keyring.mac("developers.cookie", cookie.encode("utf-8", "surrogatepass"))


def _owner(developer_id: str) -> str:
    """No patient's name in `DataKeys`: those hold a slash."""
    return f"developer:{developer_id}"


def _aad(developer_id: str) -> bytes:
    return f"developer\x1f{developer_id}".encode()
