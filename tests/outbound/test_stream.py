import socket
from collections.abc import Callable

import pytest

from smartapp.errors import UpstreamDown, UpstreamError, UpstreamSlow
from smartapp.outbound import service
from smartapp.outbound.service import Door
from tests.support.upstream import WireServer, answer, answering, wire_server

DoorTo = Callable[[WireServer], Door]


def test_a_body_comes_in_pieces_and_the_connection_is_used_again(door_to: DoorTo) -> None:
    body = bytes(range(256)) * 4096
    ports: list[int] = []

    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        ports.append(connection.getpeername()[1])
        connection.sendall(answer(body, "200 OK", "Content-Type: x/y"))

    with wire_server(script) as server:
        door = door_to(server)
        for _ in range(2):
            with door.stream(server.origin, headers={"Accept": "x/y"}) as streamed:
                pieces = list(streamed.chunks(100_000))
                assert (streamed.status, streamed.headers["content-type"]) == (200, "x/y")
            assert b"".join(pieces) == body
            assert max(map(len, pieces)) <= 100_000
    assert len(set(ports)) == 1


@pytest.mark.threat("F1")
def test_a_stall_in_the_middle_is_slow_not_the_end(door_to: DoorTo) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 30)
        server.released.wait(10)

    with wire_server(script) as server, pytest.raises(UpstreamSlow):
        read_all(door_to(server), server.origin)


@pytest.mark.threat("F11")
def test_a_drip_is_slow_though_no_single_wait_is_long(door_to: DoorTo) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not server.released.wait(0.1):
            connection.sendall(b"x")

    with wire_server(script) as server, pytest.raises(UpstreamSlow):
        read_all(door_to(server), server.origin)


def test_the_deadline_begins_anew_with_every_piece(door_to: DoorTo) -> None:
    with wire_server(answering(answer(b"x" * 200_000))) as server, door_to(server).stream(server.origin) as streamed:
        streamed._deadline.renew(-1)
        assert len(b"".join(streamed.chunks(100))) == 200_000


@pytest.mark.threat("F11")
def test_a_deadline_that_passed_stops_the_reading(door_to: DoorTo) -> None:
    with wire_server(answering(answer(b"x" * 200_000))) as server, door_to(server).stream(server.origin) as streamed:
        streamed._patience = -1
        with pytest.raises(UpstreamSlow):
            list(streamed.chunks(100))


@pytest.mark.threat("F2")
def test_a_reset_is_an_error(door_to: DoorTo) -> None:
    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with wire_server(script) as server, pytest.raises(UpstreamError):
        read_all(door_to(server), server.origin)


def read_all(door: Door, url: str) -> bytes:
    with door.stream(url) as streamed:
        return b"".join(streamed.chunks())


@pytest.mark.threat("F23")
def test_closing_early_closes_the_connection_at_once(door_to: DoorTo) -> None:
    gone: list[bytes] = []

    def script(connection: socket.socket, _head: bytes, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx")
        connection.settimeout(10)
        try:
            gone.append(connection.recv(1))
        except ConnectionResetError:
            gone.append(b"")

    with wire_server(script) as server:
        with door_to(server).stream(server.origin) as streamed:
            assert next(streamed.chunks(3)) == b"xxx"
        streamed.close()
        while not gone:
            pass
    assert gone == [b""]


def test_streams_are_counted_and_their_slots_given_back(door_to: DoorTo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_SLOT_WAIT", 0.05)
    with wire_server(answering(answer(b"x" * 10))) as server:
        door = door_to(server)
        held = [door.stream(server.origin) for _ in range(12)]
        with pytest.raises(UpstreamDown, match="streams-used-up") as caught:
            door.stream(server.origin)
        assert caught.value.retry_after == 5
        for streamed in held:
            streamed.close()
            streamed.close()
        assert read_all(door, server.origin) == b"x" * 10


def test_a_failed_start_gives_its_slot_back(door_to: DoorTo) -> None:
    with wire_server(answering(*[answer(b"", "500 Oops")] * 13, answer(b"fine"))) as server:
        door = door_to(server)
        for _ in range(13):
            with pytest.raises(UpstreamError):
                door.stream(server.origin)
        assert read_all(door, server.origin) == b"fine"
