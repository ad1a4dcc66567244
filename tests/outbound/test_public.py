"""The door to hosts that came from a registration: public addresses only, looked at when the connection is made."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.errors import UpstreamDown, UpstreamMalformed, UpstreamSlow
from smartapp.outbound import public
from smartapp.outbound.public import PublicDoor
from smartapp.outbound.public_addresses import is_public
from smartapp.outbound.service import Outbound
from tests.support.certificates import authority
from tests.support.upstream import WireServer, answer, answering, wire_server

Resolve = Callable[..., None]


@pytest.fixture
def door(outbound: Outbound) -> PublicDoor:
    return outbound.for_public()


@pytest.fixture
def sandbox_door(outbound: Outbound) -> PublicDoor:
    return outbound.for_public(loopback=True)


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were made to: nothing leaves."""
    found: list[Any] = []

    def connect(_socket: socket.socket, address: Any) -> None:
        found.append(address)
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Names then have these addresses; the n-th look-up gives the n-th tuple, the last one from then on."""

    def set_up(*answers: tuple[str, ...]) -> None:
        asked: list[str] = []

        def look_up(host: str, port: int, **_kwargs: Any) -> list[Any]:
            asked.append(host)
            found = answers[min(len(asked), len(answers)) - 1]
            families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
            return [(f, socket.SOCK_STREAM, 0, "", (a, port)) for f, a in zip(families, found, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return set_up


def ask(door: PublicDoor, url: str) -> bytes:
    return door.get(url, accept="application/json", max_bytes=1000, total=1).body


@pytest.mark.threat("P12")
@pytest.mark.threat("O50")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "[fc00::1]",
        "169.254.169.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "localhost.",
    ],
)
def test_an_address_that_is_not_public_is_not_connected_to(door: PublicDoor, dialled: list[Any], host: str) -> None:
    with pytest.raises(UpstreamMalformed, match=public.BLOCKED):
        ask(door, f"https://{host}:8443/jwks.json")
    assert dialled == []


@pytest.mark.threat("O50")
@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/keys",
        "file:///etc/passwd",
        "gopher://93.184.216.34/",
        "https://93.184.216.34:22/keys",
        "https://93.184.216.34:80/keys",
        "https://user@93.184.216.34/keys",
        "https://",
        "",
    ],
)
def test_only_https_at_ports_of_the_web_is_asked(door: PublicDoor, dialled: list[Any], url: str) -> None:
    with pytest.raises(UpstreamMalformed, match=public.BLOCKED):
        ask(door, url)
    assert dialled == []


@pytest.mark.threat("P12")
@pytest.mark.threat("O50")
@pytest.mark.parametrize(
    "addresses", [("10.0.0.8",), ("93.184.216.34", "10.0.0.8"), ("::ffff:169.254.169.254",), ("100.100.100.200",)]
)
def test_a_name_with_a_private_address_is_not_asked(
    door: PublicDoor, dialled: list[Any], resolves: Resolve, addresses: tuple[str, ...]
) -> None:
    resolves(addresses)
    with pytest.raises(UpstreamMalformed, match=public.BLOCKED):
        ask(door, "https://metadata.example/keys")
    assert dialled == []


@pytest.mark.threat("P12")
@pytest.mark.threat("O50")
def test_the_address_that_was_judged_is_the_one_connected_to(
    door: PublicDoor, dialled: list[Any], resolves: Resolve
) -> None:
    """DNS rebinding: a second look-up would lead inside; there is none."""
    resolves(("93.184.216.34",), ("127.0.0.1",))
    with pytest.raises(UpstreamDown):
        ask(door, "https://rebind.example/keys")
    assert dialled == [("93.184.216.34", 443)]
    with pytest.raises(UpstreamMalformed, match=public.BLOCKED):
        ask(door, "https://rebind.example/keys")
    assert len(dialled) == 1


@pytest.mark.threat("O51")
def test_a_resolver_that_hangs_is_not_waited_for(door: PublicDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: released.wait(20) and [])
    began = time.monotonic()
    with pytest.raises(UpstreamSlow):
        door.get("https://slow.example/keys", accept="*/*", max_bytes=10, total=0.2)
    released.set()
    assert time.monotonic() - began < 5


@pytest.fixture
def served() -> Iterator[WireServer]:
    with wire_server(answering(answer(b'{"keys": []}'))) as server:
        yield server


def test_the_sandbox_lets_in_this_machine(sandbox_door: PublicDoor, served: WireServer) -> None:
    assert ask(sandbox_door, f"{served.origin}/keys") == b'{"keys": []}'
    assert ask(sandbox_door, f"http://localhost:{served.port}/keys") == b'{"keys": []}'


@pytest.mark.threat("O50")
def test_the_sandbox_lets_in_no_other(sandbox_door: PublicDoor, dialled: list[Any]) -> None:
    for url in ("http://93.184.216.34/keys", "http://10.0.0.1:8080/keys", "https://10.0.0.1/keys"):
        with pytest.raises(UpstreamMalformed, match=public.BLOCKED):
            ask(sandbox_door, url)
    assert dialled == []


@pytest.mark.threat("P12")
@pytest.mark.threat("O50")
def test_a_redirect_is_not_followed(sandbox_door: PublicDoor) -> None:
    with wire_server(answering(answer(b"", "302 Found", "Location: http://127.0.0.1:1/"))) as server:
        found = sandbox_door.get(server.origin, accept="*/*", max_bytes=10, total=1)
    assert (found.status, len(server.requests)) == (302, 1)


@pytest.mark.threat("O51")
def test_an_answer_ends_at_its_cap_and_its_deadline(sandbox_door: PublicDoor) -> None:
    with (
        wire_server(answering(answer(b"x" * 2000))) as server,
        pytest.raises(UpstreamMalformed, match="too-big"),
    ):
        ask(sandbox_door, server.origin)

    def drip(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while not server.released.wait(0.05):
            connection.sendall(b"x")

    with wire_server(drip) as server, pytest.raises(UpstreamSlow):
        sandbox_door.get(server.origin, accept="*/*", max_bytes=1000, total=0.4)


@pytest.mark.threat("F12")
def test_a_certificate_that_nobody_vouches_for_is_refused(sandbox_door: PublicDoor, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    tls = authority(tmp_path, later).server("127.0.0.1", later)
    with wire_server(answering(answer()), tls) as server, pytest.raises(UpstreamDown, match="tls"):
        ask(sandbox_door, server.origin)
    assert server.requests == []


@pytest.mark.threat("O50")
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_in_every_ipv6_spelling(address: Any) -> None:
    plain = is_public(str(address))
    assert is_public(f"::ffff:{address}") is plain
    assert is_public(f"64:ff9b::{int(address) >> 16:x}:{int(address) & 0xFFFF:x}") is plain
    assert not plain or address.is_global


@pytest.mark.threat("O50")
@pytest.mark.parametrize("address", ["2002:7f00:1::", "2001:0:1::", "fec0::1", "::", "::127.0.0.1", "ff02::1", "name"])
def test_tunnels_and_names_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1::1")
