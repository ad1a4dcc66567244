"""Names and descriptions that try to be more than words, from an EHR's and an archive's mouth; where words stay."""

from __future__ import annotations

import base64
import json
import logging
import re
import shutil
from pathlib import Path

import pytest

from tests.dicomweb_upstream.archive import Asked, Reply, rows_reply
from tests.fhir_upstream.fake_fhir import report, study
from tests.portal.test_hostile import HOSTILE, assert_inert
from tests.threats.addresses import bearer
from tests.threats.composed import Composed
from tests.threats.holding import holder
from tests.threats.hospital import Record

WORDS = (
    *HOSTILE,
    "=cmd|' /C calc'!A0",
    "\u202egpj.exe",
    "\x1b[31mred\x07",
    "%0d%0aX-Evil: 1",
    "\r\nX-Evil: 1",
    "x" * 20_000,
)


def _hostile_record(words: str, patient: str) -> Record:
    subject = f"Patient/{patient}"
    html = base64.b64encode(f"<p>{words}</p><script>alert(1)</script>".encode()).decode()
    scan = study(
        "i1", "1.2.3", subject, description=words, series=[{"uid": "1.2.3.1", "description": words, "bodySite": words}],
        procedureCode=[{"text": words}], location={"display": words},
    )  # fmt: skip
    paper = report(
        f"rep-{patient}", subject, imagingStudy=[{"reference": "ImagingStudy/i1"}], conclusion=words,
        code={"text": words}, performer=[{"display": words}], issued=words, text={"div": f"<div>{words}</div>"},
        presentedForm=[{"contentType": "text/html", "title": words, "data": html},
                       {"contentType": words, "title": words, "data": html}],
        result=[{"reference": "#o1"}],
        contained=[{"resourceType": "Observation", "id": "o1", "code": {"text": words}, "valueString": words}],
    )  # fmt: skip
    return Record(patient, words, "SE-1001", [scan], [paper])


@pytest.mark.clause("SMART 2.2", "5")
@pytest.mark.threat("W3")
@pytest.mark.threat("W4")
@pytest.mark.threat("W23")
@pytest.mark.threat("D13")
@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_hostile_words_of_a_hospital_stay_words(shared: Composed, words: str) -> None:
    hospital = shared.first
    patient = f"mallory-{len(hospital.records)}"
    hospital.take_in(_hostile_record(words, patient))

    def script(asked: Asked) -> Reply | None:
        honest = hospital.archive._honest(asked)
        if "json" not in honest.content_type:
            return None
        rows = json.loads(honest.content)
        for row in rows:
            for tag, vr in (("00081030", "LO"), ("0008103E", "LO"), ("00080080", "LO"), ("00180015", "CS")):
                row[tag] = {"vr": vr, "Value": [words]}
        return rows_reply(rows)

    hospital.archive.script = script
    try:
        browser = shared.signed_in(patient)
        for path in ("", "studies/1.2.3", "studies/1.2.3/series/1.2.3.1", "sessions"):
            answer = browser.my(path)
            assert answer.status_code == 200, path
            assert_inert(answer.text)
            assert "X-Evil" not in answer.headers
        page = browser.my("studies/1.2.3").text
        config = re.search(r"<script[^>]* data-config>(.*?)</script>", page)
        assert config is not None
        assert json.loads(config[1])["study"] == "1.2.3"
        for number in (0, 1):
            form = browser.my(f"studies/1.2.3/reports/rep-{patient}/attachments/{number}")
            assert form.status_code == 200
            assert form.headers["Content-Disposition"].startswith("attachment")
            assert re.fullmatch(r"[\x20-\x7e]+", form.headers["Content-Disposition"])
            assert "sandbox" in form.headers["Content-Security-Policy"]
            assert form.headers["Content-Type"] == "application/octet-stream" or number == 0
            assert "X-Evil" not in form.headers
    finally:
        hospital.archive.script = lambda _asked: None


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.clause("SMART 2.2", "8", "9", "90")
@pytest.mark.threat("T18")
def test_no_name_number_or_secret_is_in_log_database_or_cache(own: Composed, caplog: pytest.LogCaptureFixture) -> None:
    """Two people's whole visits, wrong turns and failures included, at the most talkative level of our own loggers; and
    those of the app that each of them allowed and of the developer that each of them is.
    """
    caplog.set_level(logging.DEBUG, logger="smartapp")
    caplog.set_level(logging.INFO)
    secrets, cache = [], b""
    pictures = {"ana": "studies/1.2.3/series/1.2.3.2/thumbnail", "ben": "studies/1.8/series/1.8.1/thumbnail"}
    for patient in ("ana", "ben"):
        held = holder(own, patient)
        browser, viewer = held.browser, bearer(held.browser)
        secrets += [*held.secrets(), viewer["Authorization"].removeprefix("Bearer ")]
        for address in held.addresses():
            if "GET" in address.methods:
                for headers in (viewer, held.bearer()):
                    browser.get(address.path, headers=headers)
        browser.back(own.first.consent(browser.start(), patient, state="canary-state"))
        cache += _files(own.ground.settings.storage.cache_dir)
        shutil.rmtree(own.ground.settings.storage.cache_dir, ignore_errors=True)
        own.first.archive.script = lambda _asked: Reply(500, b"Ana Canaryvera SE-1001")
        assert browser.my(pictures[patient]).status_code == 502
        own.first.archive.script = lambda _asked: None
        browser.post("/sign-out-everywhere")
    assert {"session.open", "disclosure.opened", "smart.state.bad", "authz.denied"} <= set(own.kinds())
    told = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records).encode()
    assert told
    database = Path(str(own.ground.database.engine.url.database))
    kept = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    cache += _files(own.ground.settings.storage.cache_dir)
    assert len(cache) > 1000
    for canary in ("Canary", "canary", "SE-1001", "SE-1002", "One nodule", *secrets):
        assert canary.encode() not in told, canary
        assert canary.encode() not in kept, canary
        assert canary.encode() not in cache, canary
