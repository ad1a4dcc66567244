"""The children of a render pool: started, asked, watched, killed, replaced."""

import contextlib
import fcntl
import os
import queue
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import smartapp
from smartapp.dicomweb.core.render_wire import ANSWER, pack, unpack
from smartapp.errors import Unavailable, Unrenderable
from smartapp.settings import Rendering

_PIPE: Final = 2**20
_READ: Final = 2**20
_PATIENCE: Final = 5.0
_START: Final = 15.0
"""How long, in seconds, a child may take on a busy machine to load its decoders (0.4 s on a quiet one)."""


class Children:
    """A fixed number of children, each of which serves one thread at a time."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._closed = False
        # The last one used comes first: it is warm, and the others may never have to be started.
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._all = [_Child(rendering) for _ in range(rendering.processes)]
        for child in self._all:
            self._idle.put(child)

    def ask(self, request: Mapping[str, Any], dicom: bytes) -> tuple[dict[str, Any], bytes]:
        """A child's answer. Unrenderable if it dies of the request, or takes longer than it may."""
        if len(dicom) > self._rendering.memory // 3:
            raise Unrenderable("too-large")
        try:
            child = self._idle.get(timeout=self._rendering.seconds)
        except queue.Empty:
            raise Unavailable("render-busy") from None
        try:
            if self._closed:
                raise Unavailable("render-closed")
            return child.ask(request, dicom)
        finally:
            self._idle.put(child)

    def close(self) -> None:
        """Ends all children, also those at work."""
        self._closed = True
        for child in self._all:
            child.kill()
        with contextlib.suppress(queue.Empty):
            for _ in self._all:
                self._idle.get(timeout=_PATIENCE).end()
        for child in self._all:
            self._idle.put(child)  # who waits for one is told at once


class _Child:
    """One child process, or the place for one: it is started at the first request and after each death."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any], dicom: bytes) -> tuple[dict[str, Any], bytes]:
        running = self._running()
        process = running or self._start()
        until = time.monotonic() + self._rendering.seconds + (0 if running else _START)
        try:
            talk = _Talk(process, until)
            talk.send(pack(request, dicom))
            return unpack(talk.take, ANSWER)
        except TimeoutError:
            self.end()
            raise Unrenderable("render-timeout") from None
        except (OSError, EOFError, ValueError, TypeError):
            self.end()
            raise Unrenderable("render-died") from None
        except BaseException:
            self.end()  # an answer that nobody waits for any more must not be taken for the next one's
            raise

    def kill(self) -> None:
        """Kills the process; whoever waits for its answer sees it end, and clears up."""
        process = self._process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """Kills the process, if there is one, and waits for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def _running(self) -> "subprocess.Popen[bytes] | None":
        return self._process if self._process is not None and self._process.poll() is None else None

    def _start(self) -> "subprocess.Popen[bytes]":
        self.end()
        self._process = _start(self._rendering)
        return self._process


def _start(rendering: Rendering) -> "subprocess.Popen[bytes]":
    """A child that has none of our environment, and none of our open files."""
    environment = {
        "PYTHONPATH": str(Path(smartapp.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",  # each thread would reserve address space, which is limited
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, "-m", "smartapp.dicomweb.core.render_child", str(rendering.memory)]
    try:
        process = subprocess.Popen(
            [*command, str(rendering.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote what is in the object
            env=environment,
            cwd="/",
            bufsize=0,
            start_new_session=True,  # an interrupt at the terminal is for us to handle
        )
    except OSError:
        raise Unavailable("render-start") from None
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            _widen(pipe.fileno())
    return process


def _widen(pipe: int) -> None:
    """Lets a pipe hold a whole CT slice, where the system has that: fewer switches between the processes."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        except PermissionError:
            return  # the user has used up the system's allowance; it works, slower


class _Talk:
    """One request and its answer over a child's pipes, both within the time that ends at `until` (monotonic)."""

    def __init__(self, process: "subprocess.Popen[bytes]", until: float) -> None:
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        self._in = process.stdin.fileno()
        self._out = process.stdout.fileno()
        self._until = until

    def send(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                self._wait(self._in, select.POLLOUT)
                left = left[os.write(self._in, left) :]

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes; EOFError if the child ends before."""
        pieces: list[bytes] = []
        while size:
            self._wait(self._out, select.POLLIN)
            piece = os.read(self._out, min(size, _READ))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _wait(self, pipe: int, event: int) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        left = self._until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError
