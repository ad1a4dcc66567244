"""Key sets of clients, fetched from the address they registered (RFC 7517 §5; RFC 9111 §5.2.2)."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock
from typing import Any, Final, Protocol

from smartapp.authserver.client_auth import jwk
from smartapp.authserver.client_auth.jwk import PublicKey
from smartapp.clock import Clock
from smartapp.errors import SmartappError, Unavailable, UpstreamError
from smartapp.identity.apps.model import App
from smartapp.outbound.answer import Answer
from smartapp.outbound.public import BLOCKED
from smartapp.outbound.strict_json import read_json

MAX_BYTES: Final = 64 * 1024
SECONDS: Final = 3.0
MAX_AGE: Final = timedelta(minutes=5)
REFETCH_PAUSE: Final = timedelta(minutes=5)
_HELD: Final = 512
_AT_ONCE: Final = 4
"""Fetches at a time: slow hosts of strangers may hold so many of a worker's threads, and no more."""
_MAX_AGE: Final = re.compile(r"max-age=\"?([0-9]{1,9})")

Entries = tuple[Mapping[str, Any], ...]


class Fetches(Protocol):
    """`outbound.public.PublicDoor`."""

    def get(self, url: str, *, accept: str, max_bytes: int, total: float) -> Answer: ...


class BadKeySet(SmartappError):
    """The address gave no key set. `kind` is for the audit trail."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class _Kept:
    entries: Entries
    fresh_until: datetime
    refetched_at: datetime | None = None


class KeySets:
    """In this process. Each set is kept as long as its host allows, five minutes at most; for a key that is not in it,
    it is asked for anew once in five minutes per client.
    """

    def __init__(self, door: Fetches, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = Lock()
        self._turns = BoundedSemaphore(_AT_ONCE)

    def find(self, app: App, kid: str, alg: str) -> list[PublicKey]:
        """The keys of `app`'s set that fit. Raises BadKeySet; Unavailable when too many are being fetched."""
        name, now = (app.client_id, app.metadata.jwks_uri), self._clock.now()
        with self._lock:
            kept = self._kept.get(name)
        if kept is None or now >= kept.fresh_until:
            return jwk.fitting(self._fetch(name, kept.refetched_at if kept else None).entries, kid, alg)
        known = any(each.get("kid") == kid for each in kept.entries)
        if not known and self._may_refetch(kept, now):
            kept = self._fetch(name, now)
        return jwk.fitting(kept.entries, kid, alg)

    def _may_refetch(self, kept: _Kept, now: datetime) -> bool:
        """Claims the right to ask again, for one thread, whatever the answer will be."""
        with self._lock:
            if kept.refetched_at is not None and now - kept.refetched_at < REFETCH_PAUSE:
                return False
            kept.refetched_at = now
            return True

    def _fetch(self, name: tuple[str, str], refetched_at: datetime | None) -> _Kept:
        entries, age = self._get(name[1])
        made = _Kept(entries, self._clock.now() + age, refetched_at)
        with self._lock:
            self._kept[name] = made
            self._kept.move_to_end(name)
            while len(self._kept) > _HELD:
                self._kept.popitem(last=False)
        return made

    def _get(self, url: str) -> tuple[Entries, timedelta]:
        if not self._turns.acquire(timeout=SECONDS):
            raise Unavailable("jwks-busy")
        try:
            answer = self._door.get(url, accept="application/json", max_bytes=MAX_BYTES, total=SECONDS)
        except UpstreamError as error:
            raise BadKeySet("ssrf.blocked" if error.code == BLOCKED else "client.jwks.bad") from None
        finally:
            self._turns.release()
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if answer.status != 200 or kind == "text/html":
            raise BadKeySet("client.jwks.bad")
        try:
            return jwk.read_set(read_json(answer.body.decode("utf-8"))), _age(answer.headers)
        except ValueError:
            raise BadKeySet("client.jwks.bad") from None


def _age(headers: Mapping[str, str]) -> timedelta:
    """For how long the host lets us keep it (SMART App Launch 2.2: never longer than Cache-Control says)."""
    said = headers.get("Cache-Control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return timedelta()
    found = _MAX_AGE.search(said)
    return min(MAX_AGE, timedelta(seconds=int(found[1]))) if found else MAX_AGE
