import gzip
import socket
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from email.utils import format_datetime
from traceback import TracebackException

import pytest

from smartapp.errors import UpstreamDown, UpstreamError, UpstreamMalformed, UpstreamSlow
from smartapp.outbound.service import Door, Outbound, StatusError
from tests.outbound.conftest import Slept
from tests.support.clock import FixedClock
from tests.support.upstream import WireServer, answer, answering, wire_server

DoorTo = Callable[[WireServer], Door]


def test_an_answer_comes_whole_and_its_headers_ignore_case(door_to: DoorTo) -> None:
    with wire_server(answering(answer(b"{}", "404 Not Found", "Content-Type: application/json"))) as server:
        got = door_to(server).request("GET", f"{server.origin}/a", params={"q": "x y"}, headers={"X-One": "1"})
    assert (got.status, got.body, got.headers["content-type"]) == (404, b"{}", "application/json")
    head = server.requests[0].decode()
    assert head.startswith("GET /a?q=x+y HTTP/1.1\r\n")
    assert "X-One: 1\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


def test_forms_and_json_are_sent_as_such(door_to: DoorTo) -> None:
    def script(connection: socket.socket, head: bytes, number: int) -> None:
        while not head.endswith((b"a=b+c", b'{"a": 1}')):
            head += connection.recv(1000)
        server.requests[number] = head
        connection.sendall(answer())

    with wire_server(script) as server:
        door_to(server).request("POST", f"{server.origin}/token", form={"a": "b c"})
        door_to(server).request("POST", f"{server.origin}/x", json={"a": 1})
    assert b"application/x-www-form-urlencoded" in server.requests[0]
    assert b"application/json" in server.requests[1]


@pytest.mark.threat("S19")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@evil.example/",
        "http://evil.example\\@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}.evil.example/",
        "file:///etc/passwd",
        "//127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://127.0.0.1:{port}0/",
        "http://2130706433:{port}/",
        "",
        "http://",
        "http://127.0.0.1:port/",
    ],
)
def test_only_its_own_origins_are_asked(door_to: DoorTo, url: str) -> None:
    with wire_server(answering(answer())) as server:
        door = door_to(server)
        for ask in (lambda target: door.request("GET", target), door.stream, door.session().get):
            with pytest.raises(UpstreamMalformed):
                ask(url.replace("{port}", str(server.port)))
    assert server.requests == []


@pytest.mark.threat("F4")
@pytest.mark.parametrize("through", ["request", "session"])
def test_redirects_are_not_followed_and_cookies_not_kept(door_to: DoorTo, through: str) -> None:
    redirect = answer(b"", "301 Moved", "Location: /elsewhere", "Set-Cookie: a=b")
    with wire_server(answering(redirect)) as server:
        door = door_to(server)
        for _ in range(2):
            if through == "request":
                assert door.request("GET", server.origin).status == 301
            else:
                assert door.session().get(server.origin).status_code == 301
    assert len(server.requests) == 2
    assert not any(b"Cookie" in head for head in server.requests)


@pytest.mark.threat("F10")
@pytest.mark.parametrize("status", ["200 OK", "302 Found"])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate"])
def test_bombs_do_not_go_off(door_to: DoorTo, status: str, coding: str) -> None:
    zeros = b"\0" * 50_000_000
    bomb = zlib.compress(zeros) if coding == "deflate" else gzip.compress(zeros, 1)
    with wire_server(answering(answer(bomb, status, f"Content-Encoding: {coding}", "Location: /"))) as server:
        door = door_to(server)
        with pytest.raises(UpstreamMalformed, match="bomb"):
            door.request("GET", server.origin)
        with pytest.raises(UpstreamMalformed, match="bomb"):
            door.session().get(server.origin)
        with pytest.raises(UpstreamMalformed, match="content-encoding"):
            door.stream(server.origin)


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("gzip", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello", wbits=-15)),
        ("identity", b"hello"),
    ],
    ids=["gzip", "two members", "zlib", "raw", "none"],
)
def test_compressed_answers_are_read_though_not_asked_for(door_to: DoorTo, coding: str, sent: bytes) -> None:
    with wire_server(answering(answer(sent, "200 OK", f"Content-Encoding: {coding}"))) as server:
        assert door_to(server).request("GET", server.origin).body == b"hello"
        assert door_to(server).session().get(server.origin).content == b"hello"


@pytest.mark.parametrize(
    ("coding", "sent", "error"),
    [
        ("gzip", gzip.compress(b"hello")[:-9], UpstreamError),
        ("gzip", b"hello", UpstreamMalformed),
        ("br", b"hello", UpstreamMalformed),
        ("gzip, gzip", gzip.compress(gzip.compress(b"hello")), UpstreamMalformed),
    ],
    ids=["cut", "not compressed", "unknown", "twice"],
)
def test_what_cannot_be_inflated_is_refused(
    door_to: DoorTo, coding: str, sent: bytes, error: type[UpstreamError]
) -> None:
    with wire_server(answering(answer(sent, "200 OK", f"Content-Encoding: {coding}"))) as server:
        door = door_to(server)
        with pytest.raises(error):
            door.request("GET", server.origin)


@pytest.mark.threat("F9")
@pytest.mark.parametrize("framed", [True, False])
def test_large_answers_are_refused(door_to: DoorTo, *, framed: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 500000000\r\n\r\n" if framed else b"Connection: close\r\n\r\n")

    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(head + b"x" * 400_000)
        server.released.wait(10)

    with wire_server(script) as server:
        with pytest.raises(UpstreamMalformed, match="too-big"):
            door_to(server).request("GET", server.origin)
        with pytest.raises(UpstreamMalformed, match="too-big"):
            door_to(server).request("GET", server.origin, max_bytes=199_999)


@pytest.mark.threat("F11")
@pytest.mark.parametrize("where", ["head", "body"])
def test_one_byte_at_a_time_ends_at_the_deadline(door_to: DoorTo, where: str) -> None:
    beginning = b"HTTP/1.1 200 OK\r\n" + (b"X-Slow: " if where == "head" else b"Content-Length: 9999\r\n\r\n")

    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(beginning)
        while not server.released.wait(0.1):
            connection.sendall(b"x")

    with wire_server(script) as server, pytest.raises(UpstreamSlow):
        door_to(server).request("GET", server.origin, total=0.5)
    assert len(server.requests) == 1


@pytest.mark.threat("F1")
def test_silence_ends_at_the_read_timeout(door_to: DoorTo) -> None:
    def script(_connection: socket.socket, _head: bytes, _number: int) -> None:
        server.released.wait(10)

    with wire_server(script) as server, pytest.raises(UpstreamSlow):
        door_to(server).request("GET", server.origin, total=60)


@pytest.mark.threat("F2")
@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n",
    ],
)
def test_short_bodies_are_errors(door_to: DoorTo, sent: bytes) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_RDWR)

    with wire_server(script) as server:
        with pytest.raises(UpstreamError, match="upstream-cut"):
            door_to(server).request("GET", server.origin)
        with door_to(server).stream(server.origin) as streamed, pytest.raises(UpstreamError, match="upstream-cut"):
            list(streamed.chunks())


@pytest.mark.threat("F2")
def test_bytes_after_the_end_never_reach_the_next_answer(door_to: DoorTo) -> None:
    extra = answer(b"one") + answer(b"smuggled", "200 OK", "X-Smuggled: yes")
    with wire_server(answering(extra, answer(b"two"))) as server:
        door = door_to(server)
        assert door.request("GET", server.origin).body == b"one"
        assert door.request("GET", server.origin).body == b"two"


@pytest.mark.threat("F4")
@pytest.mark.parametrize("sent", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_an_upstream_error(door_to: DoorTo, sent: bytes) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(sent)
        connection.close()

    with wire_server(script) as server, pytest.raises(UpstreamError):
        door_to(server).request("GET", server.origin)


def test_a_dropped_connection_is_tried_again_for_get_only(door_to: DoorTo, slept: Slept) -> None:
    def script(connection: socket.socket, _head: bytes, number: int) -> None:
        if number == 0:
            connection.shutdown(socket.SHUT_RDWR)
        connection.sendall(answer(b"fine"))

    for method, outcome in (("GET", b"fine"), ("POST", None)):
        with wire_server(script) as server:
            if outcome:
                assert door_to(server).request(method, server.origin).body == outcome
            else:
                with pytest.raises(UpstreamDown):
                    door_to(server).request(method, server.origin)
    assert len(slept.seconds) == 1


@pytest.mark.threat("F6")
def test_a_short_wait_is_honoured_and_a_long_one_passed_on(
    door_to: DoorTo, slept: Slept, fixed_clock: FixedClock
) -> None:
    busy = answer(b"", "429 Too Many Requests", "Retry-After: 1")
    with wire_server(answering(busy, answer(b"fine"))) as server:
        assert door_to(server).request("GET", server.origin, total=5).body == b"fine"
    assert 1 < slept.seconds[0] < 2

    moment = format_datetime(fixed_clock.now() + timedelta(seconds=120), usegmt=True)
    for header in ("Retry-After: 120", f"Retry-After: {moment}"):
        with wire_server(answering(answer(b"", "429 Too Many Requests", header), answer(b"fine"))) as server:
            door = door_to(server)
            for _ in range(3):
                with pytest.raises(UpstreamDown) as caught:
                    door.request("GET", server.origin)
                assert caught.value.retry_after == 120
            assert len(server.requests) == 1
            fixed_clock.advance(120)
            assert door.request("GET", server.origin).body == b"fine"
            fixed_clock.advance(-120)


@pytest.mark.threat("F6")
@pytest.mark.parametrize("header", ["X: y", "Retry-After: soon", "Retry-After: -1", "Retry-After: "])
def test_busy_without_a_usable_wait_backs_off(door_to: DoorTo, slept: Slept, header: str) -> None:
    with wire_server(answering(answer(b"", "503 Busy", header))) as server:
        door = door_to(server)
        with pytest.raises(UpstreamDown, match="upstream-503"):
            door.request("GET", server.origin, total=5)
    assert len(server.requests) == 3
    first, second = slept.seconds
    assert 0.1 <= first <= 0.3
    assert 0.2 <= second <= 0.6


def test_there_is_no_waiting_past_the_deadline(door_to: DoorTo, slept: Slept) -> None:
    with wire_server(answering(answer(b"", "503 Busy", "Retry-After: 4"))) as server, pytest.raises(UpstreamDown):
        door_to(server).request("GET", server.origin, total=2)
    assert slept.seconds == []


def test_other_server_errors_are_not_tried_again(door_to: DoorTo) -> None:
    with wire_server(answering(answer(b"", "500 Oops"))) as server:
        door = door_to(server)
        with pytest.raises(UpstreamError, match="upstream-500"):
            door.request("GET", server.origin)
    assert len(server.requests) == 1


@pytest.mark.threat("F5")
def test_after_five_failures_nobody_asks_for_ten_seconds_then_one_probes(
    outbound: Outbound, fixed_clock: FixedClock
) -> None:
    with wire_server(answering(*[answer(b"", "503 Busy")] * 6, answer(b"fine"))) as server:
        door, other = (outbound.for_origins(name, (server.origin,)) for name in ("one", "two"))
        for _ in range(5):
            with pytest.raises(UpstreamDown, match="upstream-503"):
                door.request("GET", server.origin, retry=False)
        with pytest.raises(UpstreamDown, match="breaker-open") as caught:
            other.request("GET", server.origin)
        assert caught.value.retry_after == 10
        assert len(server.requests) == 5
        fixed_clock.advance(10)
        with pytest.raises(UpstreamDown, match="upstream-503"):
            door.request("GET", server.origin, retry=False)
        with pytest.raises(UpstreamDown, match="breaker-open"):
            door.request("GET", server.origin)
        fixed_clock.advance(10)
        assert door.request("GET", server.origin).body == b"fine"
        assert door.request("GET", server.origin).body == b"fine"


@pytest.mark.threat("F5")
def test_a_closed_port_is_down(outbound: Outbound) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(UpstreamDown):
        outbound.for_origins("test", (origin,)).request("GET", origin)


@pytest.mark.threat("F5")
def test_a_host_that_takes_no_connection_is_down(outbound: Outbound) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):  # more than the queue holds: the next one gets no answer at all
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        origin = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(UpstreamDown, match="upstream-down"):
            outbound.for_origins("test", (origin,)).request("GET", origin, retry=False)


def test_a_busy_upstream_is_not_listened_to(door_to: DoorTo) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\n\r\nwait")
        server.released.wait(10)

    with wire_server(script) as server, pytest.raises(UpstreamDown, match="upstream-503"):
        door_to(server).request("GET", server.origin, retry=False)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\n"])
def test_headers_cannot_be_split(door_to: DoorTo, value: str) -> None:
    with wire_server(answering(answer())) as server, pytest.raises(UpstreamMalformed):
        door_to(server).request("GET", server.origin, headers={"Authorization": value})
    assert server.requests == []


@pytest.mark.threat("W20")
@pytest.mark.parametrize("fault", ["down", "slow", "cut", "bad"])
def test_no_traceback_names_the_address(door_to: DoorTo, fault: str) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        if fault == "slow":
            server.released.wait(10)
        if fault == "cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)

    with wire_server(script) as server:
        url = f"{server.origin}/Patient/4711"
        door = door_to(server)
        with pytest.raises(UpstreamError) as caught:
            door.request("GET", url if fault != "bad" else f"http://[4711/{url}", retry=False)
    assert "4711" not in "".join(format_exception_only_chain(caught.value))


def format_exception_only_chain(error: BaseException) -> list[str]:
    """What a log would show of an error and its causes, without the source lines."""
    return [line for line in TracebackException.from_exception(error).format() if not line.startswith("  File")]


def test_a_client_library_gets_statuses_as_its_own_errors(door_to: DoorTo) -> None:
    with wire_server(answering(answer(b"[]", "403 Forbidden"))) as server:
        response = door_to(server).session().get(server.origin, stream=True, timeout=99, verify=False)
        with pytest.raises(StatusError):
            response.raise_for_status()
        assert b"".join(response.iter_content(1)) == b"[]"


def test_the_environment_has_no_say(door_to: DoorTo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with wire_server(answering(answer(b"fine"))) as server:
        assert door_to(server).request("GET", server.origin).body == b"fine"
        assert door_to(server).session().get(server.origin).content == b"fine"
