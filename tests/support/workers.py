"""The product under gunicorn with several workers, and connections of which each is known to be one worker's."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import psutil
import requests

from smartapp.clock import SHIFT_FILE
from smartapp.sandbox.processes import Child, end, start, wait_until

T = TypeVar("T")
_SHIPPED = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"
_IDLE = 600
_PATIENCE = 180.0
"""Seconds."""


@dataclass(frozen=True)
class Answer:
    """`asked` and `answered` are seconds of one clock that never goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    worker: int
    asked: float
    answered: float


@dataclass
class Line:
    """A connection that stays open to the worker `worker` (its process id)."""

    worker: int
    connection: HTTPConnection

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, form: Any = None) -> Answer:
        """The whole answer."""
        asked = time.monotonic()
        found = self.begin(method, path, headers, form)
        body = found.read()
        return Answer(found.status, dict(found.getheaders()), body, self.worker, asked, time.monotonic())

    def begin(self, method: str, path: str, headers: Mapping[str, str] | None = None, form: Any = None) -> HTTPResponse:
        """The answer's head; its body is still to be read."""
        sent = {**(headers or {})}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, None if form is None else urlencode(form), sent)
        return self.connection.getresponse()


@dataclass
class Workers:
    """`pids` are those of the workers, not of their parent."""

    base: str
    port: int
    child: Child
    pids: tuple[int, ...]

    def replaced(self, pid: int) -> None:
        """Waits until another worker serves in the place of `pid`, which died."""
        wait_until(
            lambda: pid not in (found := _pids(self.child)) and len(found) == len(self.pids),
            [],
            "a new worker",
            _PATIENCE,
        )
        self.pids = _pids(self.child)

    @contextmanager
    def lines(self, each: int = 8) -> Iterator[list[Line]]:
        """`each` connections to every worker: the others hold still while one accepts them.

        They stay open for as long as the block lasts.
        """
        with ExitStack() as stack:
            found: list[Line] = []
            for pid in self.pids:
                with self._alone(pid):
                    made = [self._line(stack, pid) for _ in range(each)]
                _require_accepted(made)
                found += made
            yield found

    def _line(self, stack: ExitStack, pid: int) -> Line:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        stack.callback(connection.close)
        line = Line(pid, connection)
        assert line.ask("GET", "/healthz").status == 200
        return line

    @contextmanager
    def _alone(self, pid: int) -> Iterator[None]:
        others = [psutil.Process(each) for each in self.pids if each != pid]
        try:
            for other in others:
                other.send_signal(signal.SIGSTOP)
            while any(other.status() != psutil.STATUS_STOPPED for other in others):
                os.sched_yield()
            yield
        finally:
            for other in others:
                other.send_signal(signal.SIGCONT)


def _require_accepted(lines: Sequence[Line]) -> None:
    """A line that another worker holds would prove nothing."""
    held = psutil.Process(lines[0].worker).net_connections("tcp")
    ports = {each.raddr.port for each in held if each.raddr}
    assert {line.connection.sock.getsockname()[1] for line in lines} <= ports


def at_once(lines: Sequence[Line], work: Callable[[Line], T]) -> list[T]:
    """What came of each line's work, all begun together. What one raises is raised."""
    barrier = threading.Barrier(len(lines))
    results: dict[int, T] = {}
    faults: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(30)
            results[number] = work(lines[number])
        except BaseException as fault:  # noqa: BLE001 -- raised below, in the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(lines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return [results[number] for number in sorted(results)]


@contextmanager
def serving(config: Path, base: str, port: int, count: int, clock: Path) -> Iterator[Workers]:
    """The product with `count` workers, as `config` says, its time shifted by what the file `clock` holds.

    As `config/gunicorn.conf.py` has it, but that idle connections are kept: the machine may be slow.
    """
    settings = config.parent / "gunicorn.conf.py"
    settings.write_text(f"import runpy\nglobals().update(runpy.run_path({str(_SHIPPED)!r}))\nkeepalive = {_IDLE}\n")
    command = [sys.executable, "-m", "gunicorn", "-c", str(settings)]
    child = start("app", command, config.parent / "log", {SHIFT_FILE: str(clock), "SMARTAPP_CONFIG": str(config)})
    try:
        wait_until(lambda: requests.get(f"{base}/healthz", timeout=60).ok, [child], "the product", _PATIENCE)
        wait_until(lambda: len(_pids(child)) == count, [child], "every worker", _PATIENCE)
        yield Workers(base, port, child, _pids(child))
    finally:
        end([child])


def _pids(child: Child) -> tuple[int, ...]:
    """The leash has one child, gunicorn's parent; its children are the workers."""
    with suppress(psutil.NoSuchProcess):
        return tuple(each.pid for parent in psutil.Process(child.leash.pid).children() for each in parent.children())
    return ()
