"""The door for hosts that nobody configured: they came from a registration, so they must be public.

A name is looked up once, every address it has is judged, and the connection goes to an address that was judged: a name
that changes its mind in between (DNS rebinding) gains nothing. Redirects are not followed.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from threading import BoundedSemaphore, Thread
from typing import Any, Final

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from smartapp.clock import Clock
from smartapp.errors import UpstreamMalformed, UpstreamSlow
from smartapp.outbound.adapter import Adapter
from smartapp.outbound.answer import Answer
from smartapp.outbound.breaker import Breaker
from smartapp.outbound.deadline import TimedResponse, time_left
from smartapp.outbound.exchange import Exchange
from smartapp.outbound.origins import origin_of
from smartapp.outbound.public_addresses import is_loopback, is_public
from smartapp.outbound.retries import Patience
from smartapp.settings import Upstreams

BLOCKED: Final = "ssrf-blocked"
"""The code of the refusal of an address that is not public."""
_LOOKUPS: Final = BoundedSemaphore(8)
"""Names that are being looked up at once. The system's resolver knows no deadline: one may hang for a long time."""
_HEADERS: Final = {"User-Agent": "smartapp", "Accept-Encoding": "identity"}

Judge = Callable[[str], bool]


class PublicDoor:
    """GET from public hosts: https, at 443 or above 1023. Safe to share by threads.

    `loopback` also lets in plain http and https on this machine: for the sandbox, whose apps run there.
    """

    def __init__(self, upstreams: Upstreams, clock: Clock, *, loopback: bool) -> None:
        self._upstreams = upstreams
        self._clock = clock
        self._loopback = loopback
        self._adapter = _PublicAdapter(self._may_be_asked)

    def get(self, url: str, *, accept: str, max_bytes: int, total: float) -> Answer:
        """The whole answer, of at most `max_bytes` after inflating, within `total` seconds, asked once.

        Raises UpstreamMalformed(`BLOCKED`) where the address is not public, or not one that is asked at all; else as
        `Door.request`.
        """
        origin = self._origin(url)
        prepared = requests.Request("GET", url, {**_HEADERS, "Accept": accept}).prepare()
        if origin_of(prepared.url or "") != origin:
            raise UpstreamMalformed(BLOCKED)
        patient = replace(self._upstreams, connect_timeout=total, read_timeout=total)
        # A breaker of its own: what a stranger's host does says nothing of any other's, nor of the EHR's.
        exchange = Exchange(
            self._adapter, frozenset({origin}), patient, self._clock, time.sleep, lambda _: Breaker(self._clock)
        )
        found = exchange.whole(prepared, Patience(total, max_bytes, retries=0))
        return Answer(found.status_code, found.headers, found.content, found.url)

    def _origin(self, url: str) -> str:
        try:
            origin = origin_of(url)
        except UpstreamMalformed:
            raise UpstreamMalformed(BLOCKED) from None
        scheme, _, rest = origin.partition("://")
        port = int(rest.rpartition(":")[2])
        if scheme != "https" and not self._loopback:
            raise UpstreamMalformed(BLOCKED)
        if port < 1024 and (scheme, port) not in {("https", 443), ("http", 80)}:
            raise UpstreamMalformed(BLOCKED)
        return origin

    def _may_be_asked(self, scheme: str, address: str) -> bool:
        """Plain http is for this machine alone, where the sandbox is."""
        if self._loopback and is_loopback(address):
            return True
        return scheme == "https" and is_public(address)


class _PublicAdapter(Adapter):
    """Connections that judge the address before they are made; none is kept: the next one is judged anew."""

    def __init__(self, judge: Callable[[str, str], bool]) -> None:
        self._judge = judge
        super().__init__(None, origins=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        plain = type("_Plain", (_PublicConnection,), {"judge": staticmethod(lambda a: self._judge("http", a))})
        secured = type("_Secured", (_PublicTlsConnection,), {"judge": staticmethod(lambda a: self._judge("https", a))})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": secured}),
        }

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.headers["Connection"] = "close"
        return super().send(request, *args, **kwargs)


class _PublicConnection(HTTPConnection):
    response_class = TimedResponse
    judge: Judge

    def _new_conn(self) -> socket.socket:
        return _connect(self, self.judge)


class _PublicTlsConnection(HTTPSConnection):
    response_class = TimedResponse
    judge: Judge

    def _new_conn(self) -> socket.socket:
        return _connect(self, self.judge)


def _connect(connection: HTTPConnection, judge: Judge) -> socket.socket:
    """A socket to the first judged address that answers. One bad address of a name spoils the name."""
    places = _look_up(connection.host, connection.port)
    if not places or not all(judge(str(place[4][0])) for place in places):
        raise UpstreamMalformed(BLOCKED)
    for family, kind, protocol, _, address in places:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left(connection))
            made.connect(address)
            made.settimeout(_left(connection))  # for the TLS handshake
        except BaseException as error:
            made.close()
            if not isinstance(error, OSError):
                raise
        else:
            return made
    raise NewConnectionError(connection, "no address answers")


def _left(connection: HTTPConnection) -> float:
    left = time_left()
    if left <= 0:
        raise ConnectTimeoutError(connection, "deadline")
    return left


def _look_up(host: str, port: int) -> list[Any]:
    """What the system's resolver says, in the time that is left. UpstreamSlow where it takes longer.

    The thread that waits for it stays until the resolver gives up: eight at most.
    """
    found: list[Any] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            pass
        finally:
            _LOOKUPS.release()

    if not _LOOKUPS.acquire(timeout=max(0.0, time_left())):
        raise UpstreamSlow
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, time_left()))
    if thread.is_alive():
        raise UpstreamSlow
    return found
