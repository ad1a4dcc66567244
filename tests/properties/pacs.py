"""The sandbox's own archive over real HTTP, with whatever is put on its shelf."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from smartapp.sandbox.pacs.embedded.app import create_app
from smartapp.sandbox.pacs.embedded.config import ArchiveConfig
from tests.properties.archive import files
from tests.properties.scans import Scan

READER = ("reader", "lets-me-read")


class Shelf:
    """The archive's folder, which it reads once: `put` has it begin anew. `asked` is called for each request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._app = self._begun()
        self.asked: Callable[[], object] = lambda: None

    def put(self, held: Sequence[Scan]) -> None:
        """From now on the archive holds these and no others."""
        wanted = files(held)
        for path in self._folder.glob("*.dcm"):
            if path.name not in wanted:
                path.unlink()
        for name, content in wanted.items():
            if not (path := self._folder / name).exists():
                path.write_bytes(content)
        self._app = self._begun()

    def _begun(self) -> Flask:
        return create_app({"st-elsewhere": ArchiveConfig(self._folder, *READER, introspection=None, patients={})})

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked()
        return self._app(environ, start_response)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_args: object, **_named: object) -> None: ...


@contextmanager
def sandbox_pacs(folder: Path) -> Iterator[tuple[Shelf, str]]:
    """The shelf, and the DICOMweb address of the archive that stands before it."""
    shelf = Shelf(folder)
    server = make_server("127.0.0.1", 0, shelf, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shelf, f"http://127.0.0.1:{server.port}/st-elsewhere/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
