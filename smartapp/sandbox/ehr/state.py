"""What one hospital's authorization server remembers: sessions, launches, requests, codes, tokens; in memory only.

One lock guards it all, so that a code, a launch or a refresh token is spent by exactly one of any number of threads.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from smartapp.sandbox.ehr.times import now
from smartapp.sandbox.world import User

CODE_LIFE = timedelta(seconds=60)
LAUNCH_LIFE = timedelta(minutes=5)
REQUEST_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=90)
ASSERTION_LIFE = timedelta(minutes=10)

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """A browser that has signed in (or, without `user`, is about to)."""

    id: str
    csrf: str
    user: User | None = None
    auth_time: datetime | None = None


@dataclass(frozen=True)
class Launch:
    """What stands behind an opaque `launch` value: who pressed the button, for which patient, study and app."""

    username: str
    patient: str
    client_id: str
    imaging_study: str | None = None


@dataclass(frozen=True)
class AuthRequest:
    """An authorization request that passed every check, waiting for the person's answers.

    `anew`: the person is to sign in even if they are (OpenID Connect Core 1.0 §3.1.2.1, `prompt`).
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None
    challenge: str
    launch: Launch | None
    session: str = ""
    patient: str | None = None
    anew: bool = False


@dataclass(frozen=True)
class Grant:
    """What a person (or, without `user`, the hospital) allowed a client; every token of one `family` says the same."""

    family: str
    client_id: str
    scopes: tuple[str, ...]
    user: User | None = None
    patient: str | None = None
    imaging_study: str | None = None
    ehr_launch: bool = False
    nonce: str | None = None
    auth_time: datetime | None = None
    session: str | None = None


@dataclass(frozen=True)
class Code:
    """An authorization code's bonds: its grant, redirect URI and PKCE challenge (RFC 7636 §4.4)."""

    grant: Grant
    redirect_uri: str
    challenge: str


@dataclass(frozen=True)
class Token:
    """An access or refresh token as it is kept. `scopes` may be narrower than the grant's."""

    grant: Grant
    scopes: tuple[str, ...]
    issued: datetime
    expires: datetime


class Spent(Exception):
    """A single-use value was presented again; `family` is what it had opened."""

    def __init__(self, family: str) -> None:
        super().__init__("presented again")
        self.family = family


class Shelf(Generic[T]):
    """Values under random keys, each until its time. Not safe alone: State holds the lock."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[T, datetime]] = {}

    def put(self, key: str, value: T, expires: datetime) -> None:
        """Keep a value; what has expired is dropped on the way."""
        moment = now()
        for old in [old for old, (_, end) in self._kept.items() if end <= moment]:
            del self._kept[old]
        self._kept[key] = (value, expires)

    def get(self, key: str) -> T | None:
        """The value, or None if there is none or its time is over."""
        value, end = self._kept.get(key, (None, now()))
        return value if end > now() else None

    def pop(self, key: str) -> T | None:
        """As `get`, and the value is gone."""
        value = self.get(key)
        self._kept.pop(key, None)
        return value

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Forget every value of which `unwanted` says so."""
        self._kept = {key: kept for key, kept in self._kept.items() if not unwanted(kept[0])}


def secret() -> str:
    """A fresh value that nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


class State:
    """All of one hospital's memory; every method is atomic."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._sessions: Shelf[Session] = Shelf()
        self._launches: Shelf[Launch] = Shelf()
        self._requests: Shelf[AuthRequest] = Shelf()
        self._codes: Shelf[Code] = Shelf()
        self._spent: Shelf[str] = Shelf()
        self._ended: Shelf[bool] = Shelf()
        self._access: Shelf[Token] = Shelf()
        self._refresh: Shelf[Token] = Shelf()
        self._assertions: Shelf[bool] = Shelf()

    def session(self, id_: str | None) -> Session | None:
        """The session of a cookie, or None."""
        with self._lock:
            return self._sessions.get(id_) if id_ else None

    def open_session(self, user: User | None = None) -> Session:
        """A new session, with or without somebody signed in."""
        session = Session(secret(), secret(), user, now() if user else None)
        with self._lock:
            self._sessions.put(session.id, session, now() + SESSION_LIFE)
        return session

    def close_session(self, session: Session) -> None:
        """Sign out: the session ends, and with it the `online_access` families that began in it."""
        with self._lock:
            self._sessions.pop(session.id)
            for shelf in (self._refresh, self._access):
                shelf.drop(lambda token: token.grant.session == session.id)

    def add_launch(self, launch: Launch) -> str:
        """An opaque single-use value for a launch, good for five minutes."""
        with self._lock:
            self._launches.put(value := secret(), launch, now() + LAUNCH_LIFE)
        return value

    def take_launch(self, value: str) -> Launch | None:
        """The launch behind a value, once."""
        with self._lock:
            return self._launches.pop(value)

    def add_request(self, request: AuthRequest) -> str:
        """A handle for a request that waits for its person."""
        with self._lock:
            self._requests.put(handle := secret(), request, now() + REQUEST_LIFE)
        return handle

    def request(self, handle: str, session: str) -> AuthRequest | None:
        """The waiting request, only for the session it began in."""
        with self._lock:
            request = self._requests.get(handle)
        return request if request and request.session == session else None

    def bind_request(self, handle: str, session: str) -> AuthRequest | None:
        """The waiting request, which belongs from now on to the first session that asks for it."""
        with self._lock:
            request = self._requests.get(handle)
            if request and not request.session:
                request = replace(request, session=session)
                self.change_request(handle, request)
        return request if request and request.session == session else None

    def change_request(self, handle: str, request: AuthRequest) -> None:
        """Write an answer of the person (who they are, which patient) into the waiting request."""
        with self._lock:
            self._requests.put(handle, request, now() + REQUEST_LIFE)

    def take_request(self, handle: str) -> AuthRequest | None:
        """The waiting request, once: whoever takes it may answer it."""
        with self._lock:
            return self._requests.pop(handle)

    def add_code(self, code: Code) -> str:
        """A fresh authorization code, good for a minute (RFC 6749 §4.1.2)."""
        with self._lock:
            self._codes.put(value := secret(), code, now() + CODE_LIFE)
        return value

    def take_code(self, value: str) -> Code | None:
        """The code's bonds, once. Presented again, everything it gave is revoked: Spent (RFC 6749 §10.5)."""
        with self._lock:
            code = self._codes.pop(value)
            self._check_unspent(value)
            if code:
                self._spent.put(value, code.grant.family, now() + REFRESH_LIFE)
            return code

    def issue(
        self, grant: Grant, scopes: tuple[str, ...], lifetime: timedelta, *, refreshable: bool
    ) -> tuple[str, str | None]:
        """A new access token and, if `refreshable`, a refresh token; Spent if the family has ended meanwhile."""
        moment = now()
        with self._lock:
            if self._ended.get(grant.family):
                raise Spent(grant.family)
            self._access.put(access := secret(), Token(grant, scopes, moment, moment + lifetime), moment + lifetime)
            if not refreshable:
                return access, None
            end = moment + REFRESH_LIFE
            self._refresh.put(refresh := secret(), Token(grant, grant.scopes, moment, end), end)
        return access, refresh

    def access(self, value: str) -> Token | None:
        """The access token, if it is live."""
        with self._lock:
            return self._access.get(value)

    def refresh(self, value: str) -> Token | None:
        """The refresh token, unspent. A spent one ends its family: Spent (RFC 9700 §4.14.2)."""
        with self._lock:
            self._check_unspent(value)
            return self._refresh.get(value)

    def rotate(self, value: str, scopes: tuple[str, ...], lifetime: timedelta) -> tuple[str, str | None] | None:
        """Spend a refresh token for its successor; None if it has died meanwhile, Spent if another was faster."""
        with self._lock:
            self._check_unspent(value)
            token = self._refresh.pop(value)
            if token is None:
                return None
            self._spent.put(value, token.grant.family, token.expires)
            return self.issue(token.grant, scopes, lifetime, refreshable=True)

    def revoke(self, value: str, client_id: str) -> None:
        """End a client's own token; a refresh token takes its access tokens along (RFC 7009 §2.1)."""
        with self._lock:
            refresh, access = self._refresh.get(value), self._access.get(value)
            if refresh and refresh.grant.client_id == client_id:
                self.end_family(refresh.grant.family)
            if access and access.grant.client_id == client_id:
                self._access.pop(value)

    def end_family(self, family: str) -> None:
        """Every token of a grant dies now, and none can be born in it."""
        with self._lock:
            self._ended.put(family, True, now() + REFRESH_LIFE)
            for shelf in (self._refresh, self._access):
                shelf.drop(lambda token: token.grant.family == family)

    def first_use(self, client_id: str, jti: str) -> bool:
        """Whether a client assertion's `jti` is seen for the first time (RFC 7523 §3)."""
        key = f"{client_id} {jti}"
        with self._lock:
            if self._assertions.get(key):
                return False
            self._assertions.put(key, True, now() + ASSERTION_LIFE)
            return True

    def _check_unspent(self, value: str) -> None:
        family = self._spent.get(value)
        if family:
            self.end_family(family)
            raise Spent(family)
