"""An app that is a page: served from an origin of its own, it runs what somebody published for browsers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from smartapp.sandbox.addresses import sample_host

_BLANK = "<!doctype html><meta charset=utf-8><title>App</title><link rel=icon href=data:,>"


@dataclass(frozen=True)
class Site:
    """`base` is its origin; pages are put into `folder`."""

    base: str
    folder: Path

    def page(self, name: str, *scripts: str, program: str = "") -> str:
        """Puts a page there that loads `scripts` and runs `program`; its address."""
        loads = "".join(f'<script src="{script}"></script>' for script in scripts)
        (self.folder / name).write_text(f"{_BLANK}<body>{loads}<script>{program}</script>")
        return f"{self.base}/{name}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that is overridden
        """Says nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """Serves `folder` until the block ends, at a host that is not the product's where the system has one."""
    server = ThreadingHTTPServer((sample_host(), 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        host, port = server.server_address[:2]
        yield Site(f"http://{host!s}:{port}", folder)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
