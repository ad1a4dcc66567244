"""`python -m smartapp.sandbox.leash COMMAND…`: runs a command that must not outlive whoever holds our standard input.

The supervisor holds the other end of the pipe. However it ends, also by SIGKILL, the kernel closes that end, and we
end the command and all that it has started. A signal tied to the parent alone would miss the command's children.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType

_PATIENCE = 4.0
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Returns the command's exit status, or 128 + n if signal n ended it, once nothing of it is left."""
    events = _wake_on(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
    us = os.getpid()
    command = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # Safe here: this process has one thread.
        preexec_fn=lambda: _die_with(us),  # noqa: PLW1509 - as above
    )
    while command.poll() is None:
        ready, _, _ = select.select([sys.stdin, events], [], [])
        if sys.stdin in ready or set(os.read(events, 64)) - {signal.SIGCHLD}:
            break
    _end(command)
    status = command.wait()
    return status if status >= 0 else 128 - status


def _wake_on(*signals: signal.Signals) -> int:
    """A descriptor that gets a byte with the number of each of these signals."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in signals:
        signal.signal(number, _only_wake)
    return readable


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """The byte in the pipe is all that is wanted."""


def _die_with(parent: int) -> None:
    """In the command, before it starts: SIGKILL it if the leash itself is killed. Linux only; elsewhere, not."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _end(command: subprocess.Popen[bytes]) -> None:
    if command.poll() is None:
        command.terminate()
        with suppress(subprocess.TimeoutExpired):
            command.wait(_PATIENCE)
    # What it has started is in its group. No such group: nothing is left.
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
