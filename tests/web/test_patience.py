"""Slow and lying clients against a real gunicorn."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = """
from smartapp.web.patience import Patience

def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

app = Patience(echo, body_seconds=0.5)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("patience")
    (folder / "patient_app.py").write_text(textwrap.dedent(APP))
    listener = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread", "--threads", "1"]
    command += ["--bind", f"fd://{listener.fileno()}", "patient_app:app"]
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
    server = subprocess.Popen(
        command, cwd=folder, env=environment, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
    )
    yield listener.getsockname()[:2]
    server.terminate()
    server.wait(20)
    listener.close()


def exchange(address: tuple[str, int], sent: bytes) -> bytes:
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def post(length: str, body: bytes, extra: str = "") -> bytes:
    return f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{extra}Content-Length: {length}\r\n\r\n".encode() + body


@pytest.mark.threat("F22")
@pytest.mark.promise("E8")
def test_a_body_that_does_not_arrive_is_answered_408_and_the_only_thread_is_free_again(
    address: tuple[str, int],
) -> None:
    assert exchange(address, post("10", b"half")).startswith(b"HTTP/1.1 408 ")
    assert exchange(address, post("4", b"full")).endswith(b"\r\n\r\nfull")


@pytest.mark.threat("F22")
@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post("65537", b""), b"413"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (post("-1", b""), b"400"),
        (post("1x", b""), b"400"),
    ],
)
def test_a_body_without_a_fair_length_is_refused(address: tuple[str, int], request_bytes: bytes, status: bytes) -> None:
    assert exchange(address, request_bytes).split(b" ")[1] == status


@pytest.mark.threat("W18")
@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length : 4",
        "X-Folded: a\r\n b",
    ],
)
def test_requests_that_two_servers_would_read_differently_are_refused(address: tuple[str, int], head: str) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = exchange(address, f"POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n".encode() + b"body" + smuggled)
    assert answer.split(b" ")[1] in {b"400", b"501", b"411"}
    assert answer.count(b"HTTP/1.1 ") == 1
