"""The doors: one per provider, each with its own origins and CA; breakers and stream slots are shared per origin."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final, Self

import requests
from requests import HTTPError as StatusError
from requests import PreparedRequest, Response

from smartapp.clock import Clock
from smartapp.errors import UpstreamDown, UpstreamMalformed
from smartapp.outbound.adapter import Adapter
from smartapp.outbound.answer import Answer
from smartapp.outbound.body import coding, read_raw
from smartapp.outbound.breaker import Breaker
from smartapp.outbound.deadline import Deadline
from smartapp.outbound.exchange import Exchange
from smartapp.outbound.origins import allowed
from smartapp.outbound.public import PublicDoor
from smartapp.outbound.retries import RETRIES, Patience
from smartapp.settings import Upstreams

__all__ = ["Answer", "Door", "Outbound", "StatusError", "StreamedAnswer"]

CHUNK_BYTES: Final = 2**18
"""Measured: smaller pieces halve the throughput, larger ones gain nothing."""
_STREAMS: Final = 12
"""At once per origin: a PACS that is given sixteen slow readers answers nobody else."""
_SLOT_WAIT: Final = 5.0
_HEADERS: Final = {"User-Agent": "smartapp", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive"}


class StreamedAnswer:
    """An answer whose body is read piece by piece. A context manager; closing it early closes the connection."""

    def __init__(self, response: Response, deadline: Deadline, patience: float, on_close: Callable[[], None]) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._deadline = deadline
        self._patience = patience
        self._on_close = on_close
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def chunks(self, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The body. Raises UpstreamSlow when nothing comes, or less than `size` bytes in the total timeout.

        A body shorter than announced is UpstreamError("upstream-cut"), never a short end.
        """
        pieces = read_raw(self._response, size)
        while True:
            self._deadline.renew(self._patience)
            piece = next(pieces, None)
            if piece is None:
                self._response.raw.release_conn()
                return
            yield piece

    def close(self) -> None:
        """Give up what was not read, and free the slot. May be called twice."""
        if not self._closed:
            self._closed = True
            self._response.raw.close()
            self._on_close()


class _ClientSession(requests.Session):
    """requests' session for client libraries: all it sends goes through the same exchange as everything else."""

    def __init__(self, send: Callable[[PreparedRequest], Response]) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.headers.update(_HEADERS)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._through_the_door = send

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        """As requests does; what cannot be sent is UpstreamMalformed("bad-request")."""
        try:
            return super().prepare_request(request)
        except (requests.RequestException, ValueError):
            raise UpstreamMalformed("bad-request") from None

    def send(self, request: PreparedRequest, **_kwargs: Any) -> Response:
        """The whole answer, also where a stream was asked for. Timeouts, verification and redirects are not for the
        caller to choose.
        """
        return self._through_the_door(request)


class Door:
    """The way to one provider's origins. Safe to share by threads."""

    def __init__(self, name: str, exchange: Exchange, slots: Callable[[str], threading.BoundedSemaphore]) -> None:
        self.name = name
        self._exchange = exchange
        self._slots = slots
        self._session = _ClientSession(self._send_for_client)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | list[str]] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        max_bytes: int | None = None,
        retry: bool | None = None,
        total: float | None = None,
    ) -> Answer:
        """Ask and read the whole answer: at most `max_bytes` after inflating, within `total` seconds over all attempts.

        `retry` is for idempotent requests; the default is GET only. Raises UpstreamDown (unreachable, TLS, 429, 502 to
        504, breaker open; `retry_after` when known), UpstreamSlow, UpstreamMalformed (off-origin, too big, not to be
        inflated), UpstreamError (cut short, other 5xx).
        """
        prepared = self._session.prepare_request(
            requests.Request(method, url, dict(headers or {}), data=form, params=params, json=json)
        )
        response = self._exchange.whole(prepared, self._patience(method, max_bytes, retry=retry, total=total))
        return Answer(response.status_code, response.headers, response.content, response.url)

    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> StreamedAnswer:
        """GET `url`, with the body unread. At most twelve at once per origin; the thirteenth waits 5 s for its turn.

        Raises as `request` does. Use it as a context manager.
        """
        prepared = self._session.prepare_request(requests.Request("GET", url, dict(headers or {})))
        slot = self._slots(self._exchange.origin(prepared))
        if not slot.acquire(timeout=_SLOT_WAIT):
            raise UpstreamDown("streams-used-up", retry_after=5)
        try:
            return self._begin(prepared, slot.release)
        except BaseException:
            slot.release()
            raise

    def session(self) -> requests.Session:
        """For client libraries (dicomweb-client). What goes wrong is raised in our own errors; a status below 500 that
        the library does not like is its StatusError.
        """
        return self._session

    def _begin(self, prepared: PreparedRequest, release: Callable[[], None]) -> StreamedAnswer:
        patience = self._patience("GET", None, retry=None, total=None)
        response, deadline = self._exchange.head(prepared, patience)
        if coding(response) != "identity":
            response.raw.close()
            raise UpstreamMalformed("content-encoding")
        return StreamedAnswer(response, deadline, patience.total, release)

    def _send_for_client(self, request: PreparedRequest) -> Response:
        return self._exchange.whole(request, self._patience(request.method or "", None, retry=None, total=None))

    def _patience(self, method: str, max_bytes: int | None, *, retry: bool | None, total: float | None) -> Patience:
        upstreams = self._exchange.upstreams
        again = method.upper() == "GET" if retry is None else retry
        return Patience(
            total=upstreams.total_timeout if total is None else total,
            max_bytes=upstreams.max_json_bytes if max_bytes is None else max_bytes,
            retries=RETRIES if again else 0,
        )


class Outbound:
    """One per process: makes doors, and keeps for each origin a breaker and its slots for streams."""

    def __init__(self, upstreams: Upstreams, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._upstreams = upstreams
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._breakers: dict[str, Breaker] = {}
        self._slots: dict[str, threading.BoundedSemaphore] = {}

    def for_origins(self, name: str, origins: tuple[str, ...], *, ca_file: Path | None = None) -> Door:
        """A door that opens to `origins` only. Raises ConfigurationError for a CA file that cannot be read."""
        permitted = allowed(origins)
        plain = not any(origin.startswith("https:") for origin in permitted)
        adapter = Adapter(ca_file, len(permitted), plain=plain)
        exchange = Exchange(adapter, permitted, self._upstreams, self._clock, self._sleep, self._breaker)
        return Door(name, exchange, self._slot)

    def for_public(self, *, loopback: bool = False) -> PublicDoor:
        """A door to public hosts that came from a registration; `loopback` lets in this machine, in the sandbox."""
        return PublicDoor(self._upstreams, self._clock, loopback=loopback)

    def _breaker(self, origin: str) -> Breaker:
        with self._lock:
            return self._breakers.setdefault(origin, Breaker(self._clock))

    def _slot(self, origin: str) -> threading.BoundedSemaphore:
        with self._lock:
            return self._slots.setdefault(origin, threading.BoundedSemaphore(_STREAMS))
