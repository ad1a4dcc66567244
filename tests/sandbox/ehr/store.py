"""A plain FHIR server of the awkward sort: it chooses ids itself, refers absolutely, ignores filters, pages by one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Resource = dict[str, Any]


class Awkward(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept: dict[str, list[Resource]] = {}
        self.asked: list[str] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/plain"

    def add(self, resource: Resource) -> Resource:
        rows = self.kept.setdefault(resource["resourceType"], [])
        meta = {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"}
        rows.append({**resource, "id": f"x{len(rows) + 1}", "meta": meta})
        return rows[-1]


class Handler(BaseHTTPRequestHandler):
    server: Awkward

    def do_PUT(self) -> None:
        """Only what is there is changed: nobody else gives ids."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for row in self.server.kept.get(body["resourceType"], []):
            if row["id"] == self.path.rpartition("/")[2]:
                row.update(body)
                return self._answer(200, row)
        return self._answer(405, {"resourceType": "OperationOutcome"})

    def do_POST(self) -> None:
        if "not-there" in self.path:
            return self._answer(404, {"resourceType": "OperationOutcome"})
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        value = self.headers.get("If-None-Exist", "|").rpartition("|")[2]
        for row in self.server.kept.get(body["resourceType"], []):
            if value and value in {one.get("value") for one in row.get("identifier", [])}:
                return self._answer(200, row)
        return self._answer(201, self.server.add(body))

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        place = urlsplit(self.path)
        _, _, type_, *rest = place.path.split("/")
        rows = self.server.kept.get(type_, [])
        if rest:
            found = [row for row in rows if row["id"] == rest[0]]
            return self._answer(200, found[0]) if found else self._answer(404, {"resourceType": "OperationOutcome"})
        start = int(parse_qs(place.query).get("start", ["0"])[0])
        bundle: Resource = {"resourceType": "Bundle", "total": len(rows), "entry": [], "link": []}
        bundle["entry"] = [{"resource": row} for row in rows[start : start + 1]]
        if start + 1 < len(rows):
            bundle["link"] = [{"relation": "next", "url": f"http://wrong.invalid/plain/{type_}?start={start + 1}"}]
        return self._answer(200, bundle)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass

    def _answer(self, status: int, body: Resource) -> None:
        text = json.dumps(body)
        for type_ in ("Patient", "ServiceRequest", "ImagingStudy"):
            text = text.replace(f'"reference": "{type_}/', f'"reference": "{self.server.base}/{type_}/')
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def awkward_store() -> Iterator[Awkward]:
    server = Awkward()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
