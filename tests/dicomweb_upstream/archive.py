"""An archive on loopback that does as it is told, also wrongly. Real HTTP, real sockets."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.dicomweb_upstream.objects import Made, dataset, file_of

BOUNDARY = "b0und"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def body(files: Iterable[bytes], *, closed: bool = True) -> bytes:
    parts = [b"--b0und\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n" for file in files]
    return b"".join(parts) + (b"--b0und--\r\n" if closed else b"")


@dataclass
class Reply:
    """An answer. `length` may lie; `stall` keeps the connection open after the body, silent, to the test's end."""

    status: int = 200
    content: bytes = b""
    content_type: str = MULTIPART
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    stall: bool = False
    reset: bool = False


@dataclass
class Asked:
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


Script = Callable[[Asked], Reply | None]


class Archive:
    """Holds objects, answers for them, and lets a `script` answer instead."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.held: list[Made] = []
        self.asked: list[Asked] = []
        self.script: Script = lambda _asked: None
        self.over = threading.Event()

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.script(asked) or self._honest(asked)

    def _honest(self, asked: Asked) -> Reply:
        parts = asked.path.removeprefix("/dicom-web/").split("/")
        named = dict(zip(parts[::2], parts[1::2], strict=False))
        found = [
            made
            for made in self.held
            if named.get("studies") in {None, made.study}
            and named.get("series") in {None, made.series}
            and named.get("instances") in {None, made.sop}
        ]
        if asked.path.endswith("/metadata"):
            return rows_reply([_metadata(made) for made in found])
        if asked.path.endswith("/studies"):
            return rows_reply(
                list({made.study: _study_row(made, found) for made in found if _asked_for(made, asked)}.values())
            )
        if asked.path.endswith("/series"):
            return rows_reply(list({made.series: _series_row(made, found) for made in found}.values()))
        return Reply(content=body(file_of(made) for made in found)) if found else Reply(404)


def rows_reply(rows: list[dict[str, Any]]) -> Reply:
    if not rows:
        return Reply(204)
    return Reply(content=json.dumps(rows).encode(), content_type="application/dicom+json")


def _asked_for(made: Made, asked: Asked) -> bool:
    ids, uids = asked.query.get("PatientID"), asked.query.get("StudyInstanceUID")
    return (not ids or made.patient_id in ids) and (not uids or made.study in uids[0].split(","))


def _element(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _study_row(made: Made, held: list[Made]) -> dict[str, Any]:
    row = {
        "00080020": _element("DA", "20260917"),
        "00080030": _element("TM", "094200"),
        "00080061": _element("CS", "CT"),
        "00081030": _element("LO", "CT chest"),
        "00081190": _element("UR", "http://pacs.invalid/studies/1"),
        "00100020": _element("LO", made.patient_id),
        "0020000D": _element("UI", made.study),
        "00201206": _element("IS", len({one.series for one in held if one.study == made.study})),
        "00201208": _element("IS", sum(one.study == made.study for one in held)),
    }
    if made.issuer:
        row["00100021"] = _element("LO", made.issuer)
    return row


def _series_row(made: Made, held: list[Made]) -> dict[str, Any]:
    return {
        "00080060": _element("CS", "CT"),
        "0008103E": _element("LO", "Axial"),
        "0020000D": _element("UI", made.study),
        "0020000E": _element("UI", made.series),
        "00200011": _element("IS", 1),
        "00201209": _element("IS", sum(one.series == made.series for one in held)),
    }


@cache
def _metadata(made: Made) -> dict[str, Any]:
    row: dict[str, Any] = dataset(made).to_json_dict(
        bulk_data_threshold=1, bulk_data_element_handler=lambda _e: "http://pacs.invalid/b"
    )
    row["00083002"] = _element("UI", "1.2.840.10008.1.2.1")
    return row


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as in tests/launch/server.py
    archive: Archive

    def log_message(self, *_args: object) -> None: ...

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        reply = self.archive.answer(Asked(parts.path, parse_qs(parts.query), dict(self.headers.items())))
        self.close_connection = True
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.content) if reply.length is None else reply.length))
        self.end_headers()
        self.wfile.write(reply.content)
        self.wfile.flush()
        if reply.stall:
            self.archive.over.wait(30)


@contextmanager
def running_archive() -> Iterator[Archive]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {}))
    server.daemon_threads = True
    archive = Archive(f"http://127.0.0.1:{server.server_address[1]}/dicom-web")
    server.RequestHandlerClass.archive = archive  # type: ignore[attr-defined]  # the class made above
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield archive
    finally:
        archive.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
