"""gunicorn tells of broken requests without quoting them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader

from smartapp.cli.server_log import ServerLog


def broken(error: Exception) -> None:
    raise error


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[ServerLog]:
    made = ServerLog(Config())
    made.error_log.addHandler(caplog.handler)
    yield made
    made.error_log.removeHandler(caplog.handler)
    logging.getLogger("gunicorn.error").handlers.clear()


@pytest.mark.threat("T18")
@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("Error handling request %s %s", ("GET", "/my/canary")),
        ("Error handling request %s", ("/my/canary",)),
        ("Error handling request", ()),
        ("Socket error processing request.", ()),
    ],
)
def test_a_request_that_broke_off_is_not_quoted(
    log: ServerLog, caplog: pytest.LogCaptureFixture, message: str, arguments: tuple[str, ...]
) -> None:
    try:
        broken(RuntimeError("canary in an error"))
    except RuntimeError:
        log.exception(message, *arguments)
    assert "RuntimeError at test_server_log.py:" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.threat("T18")
def test_a_request_that_could_not_be_read_is_not_quoted(log: ServerLog, caplog: pytest.LogCaptureFixture) -> None:
    try:
        broken(InvalidHeader("Authorization: Bearer canary"))
    except InvalidHeader as error:
        log.warning(f"Invalid request from ip=127.0.0.1: {error}")  # noqa: G004 -- as gunicorn says it
    assert "InvalidHeader" in caplog.text
    assert "canary" not in caplog.text


def test_what_is_not_of_a_request_is_told_whole(log: ServerLog, caplog: pytest.LogCaptureFixture) -> None:
    try:
        broken(RuntimeError("the configuration lacks a key"))
    except RuntimeError:
        log.exception("Exception in worker process")
    log.warning("Worker with pid %s was terminated due to signal %s", 1, 9)
    assert "the configuration lacks a key" in caplog.text
    assert "pid 1 was" in caplog.text
