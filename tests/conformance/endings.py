"""An end against what runs and comes at that moment, on all workers: nothing is served after it was answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.conformance.races import READS, TOKEN, bearer, dead, refreshing, said
from tests.conformance.site import LARGE, OAUTH, PROVIDER, Patient, Site
from tests.gateway.app import MULTIPART
from tests.support.workers import Answer, Line, at_once

MAY_LEAVE = 8 * 2**20
SOCKETS = 6 * 2**20
"""What the kernel holds of a stream that a worker has sent: at most 4 MiB there, and as much as came here by then."""
_AFTER = 3
"""How often each connection asks after the end."""


@dataclass
class _Use:
    """An app that reads and refreshes on all its connections, until the end and a little longer."""

    client_id: str
    tokens: dict[str, Any]
    warm: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    reads: list[Answer] = field(default_factory=list)
    refreshes: list[Answer] = field(default_factory=list)

    def go_on(self, line: Line, number: int) -> None:
        turn, after = number, 0
        while after < _AFTER:
            after += self.over.is_set()
            turn += 1
            if number % 2:
                path = READS[turn % len(READS)]
                self.reads.append(line.ask("GET", path, bearer(self.tokens["access_token"])))
            else:
                form = refreshing(self.tokens["refresh_token"], self.client_id)
                self.refreshes.append(line.ask("POST", TOKEN, form=form))
            if min(len(self.reads), len(self.refreshes)) > len(READS) * _AFTER:
                self.warm.set()


def given_back(site: Site, patient: Patient) -> None:
    """RFC 7009: the app's own revocation against its own reads and refreshes."""
    app = site.app()
    tokens = site.tokens(patient, app)
    form = {"token": tokens["refresh_token"], "client_id": app.client_id}
    _ended(site, _Use(app.client_id, tokens), lambda line: line.ask("POST", f"{OAUTH}/revoke", form=form))


def ended(site: Site, patient: Patient) -> None:
    """The patient's press against the app's reads and refreshes."""
    app = site.app()
    tokens = site.tokens(patient, app)
    path = _revoke_path(site, patient, app.client_id)
    _ended(site, _Use(app.client_id, tokens), lambda line: _press(line, path, patient))


def _ended(site: Site, use: _Use, end: Callable[[Line], Answer]) -> None:
    """Whatever is asked after the end was answered is refused, whichever worker is asked."""
    with site.workers.lines() as lines:

        def work(line: Line) -> Answer | None:
            if line is not lines[0]:
                use.go_on(line, lines.index(line))
                return None
            try:
                assert use.warm.wait(60)
                return end(line)
            finally:
                use.over.set()

        answer = at_once(lines, work)[0]
    assert answer is not None
    assert answer.status in {200, 303}
    for answers, refused in ((use.reads, 401), (use.refreshes, 400)):
        assert {each.status for each in answers} == {200, refused}
        later = [each for each in answers if each.asked > answer.answered]
        assert {each.worker for each in later} == set(site.workers.pids)
        assert {each.status for each in later} == {refused}
    got = [said(each) for each in use.refreshes if each.status == 200]
    successors = sorted({each["refresh_token"] for each in got})
    assert len(successors) == 1
    dead(site, [each["access_token"] for each in [use.tokens, *got]], successors, use.client_id)


def download_cut(site: Site, patient: Patient) -> None:
    """A study is on its way from one worker when the patient ends the grant at another."""
    app = site.app()
    tokens = site.tokens(patient, app)
    path = _revoke_path(site, patient, app.client_id)
    with site.workers.lines(1) as lines:
        reader, other = lines[0], lines[-1]
        assert reader.worker != other.worker
        headers = {**bearer(tokens["access_token"]), "Accept": MULTIPART}
        stream = reader.begin("GET", f"/{PROVIDER}/dicomweb/studies/{LARGE}", headers)
        assert stream.status == 200
        assert len(stream.read(2**20)) == 2**20
        assert _press(other, path, patient).status == 303
        began, more = time.monotonic(), 0
        try:
            while piece := stream.read(65536):
                more += len(piece)
            raise AssertionError("the stream ended as if it were whole")
        except HTTPException:
            pass
        assert more < MAY_LEAVE + SOCKETS
        assert time.monotonic() - began < 20
    dead(site, [tokens["access_token"]] * len(READS), [tokens["refresh_token"]], app.client_id)


def _revoke_path(site: Site, patient: Patient, client_id: str) -> str:
    grant = site.one("SELECT id FROM grants WHERE client_id = :client", client=client_id)
    return f"/my/{patient.ctx}/apps/{grant}/revoke"


def _press(line: Line, path: str, patient: Patient) -> Answer:
    return line.ask("POST", path, patient.headers, {"csrf_token": patient.csrf})
