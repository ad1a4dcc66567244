"""The sandbox's child processes: started on a leash, watched, and ended together."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

_END_WITHIN = 8.0
_LAST_LINES = 30


class StartError(RuntimeError):
    """A part did not start or died; the message says which and shows the end of its log."""


@dataclass(frozen=True)
class Child:
    """A part of the sandbox: its leash, and the file that its output goes to."""

    name: str
    leash: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises StartError if it has ended."""
        status = self.leash.poll()
        if status is not None:
            raise StartError(f"{self.name} ended with status {status}\n{last_lines(self.log)}")


def last_lines(log: Path) -> str:
    """The end of a log file, or nothing if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
    except OSError:
        return ""


def start(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Child:
    """Starts the command on a leash held by this process, with both outputs in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        leash = subprocess.Popen(
            [sys.executable, "-m", "smartapp.sandbox.leash", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal reaches the supervisor only, which ends the others in order.
            start_new_session=True,
            env={**_inherited(), "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    return Child(name, leash, log)


def _inherited() -> dict[str, str]:
    """Our environment without the product's settings: those of a developer's shell must not reach the sandbox."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SMARTAPP_")}


def end(children: Sequence[Child]) -> None:
    """Ends all of them at once and waits until nothing is left; what resists is killed within 8 seconds."""
    for child in children:
        if child.leash.stdin is not None:
            child.leash.stdin.close()
    deadline = time.monotonic() + _END_WITHIN
    for child in children:
        try:
            child.leash.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.leash.kill()
            child.leash.wait()


def run(name: str, command: Sequence[str], log: Path) -> None:
    """Runs a command to its end; StartError if it fails."""
    child = start(name, command, log)
    try:
        status = child.leash.wait()
    finally:
        end([child])
    if status != 0:
        child.check()


def wait_until(answers: Callable[[], bool], children: Sequence[Child], what: str, seconds: float = 60.0) -> None:
    """Asks until it is true; StartError if a child ends or the time is over. An unreachable server counts as no."""
    deadline = time.monotonic() + seconds
    while not _reached(answers):
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            logs = "\n".join(f"{child.name}: {last_lines(child.log)}" for child in children)
            raise StartError(f"{what} does not answer after {seconds:.0f} seconds\n{logs}")
        time.sleep(0.05)


def _reached(answers: Callable[[], bool]) -> bool:
    try:
        return answers()
    except requests.RequestException:
        return False
