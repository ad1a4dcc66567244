"""Two worlds that differ outside a grant alone answer alike; and what is listed is what can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dicomweb_upstream.objects import Made
from tests.fhir_facade.app import App, Clinic, clinic
from tests.fhir_upstream.fake_fhir import report, study
from tests.support.databases import SqliteFiles
from tests.threats.hospital import Record

pytestmark = pytest.mark.long

SCOPES = st.sampled_from(
    ["patient/*.rs", "patient/*.read", "patient/ImagingStudy.rs?modality=CT",
     "patient/ImagingStudy.rs?bodysite=51185008",
     "patient/ImagingStudy.s patient/DiagnosticReport.rs", "patient/DiagnosticReport.rs?category=RAD patient/Patient.r",
     "patient/ImagingStudy.rs?started=ge2026 patient/ImagingStudy.rs?modality=PT", "patient/ImagingStudy.r",
     "patient/DocumentReference.rs patient/DiagnosticReport.r",
     "patient/DiagnosticReport.r patient/Practitioner.rs patient/Organization.rs"]
)  # fmt: skip
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "chosen": st.sets(st.sampled_from(["1.2.3", "1.5", "1.6", "1.8"]), max_size=3).map(frozenset),
        "modalities": st.sampled_from([frozenset({"CT"}), frozenset({"PT"}), frozenset({"CT", "PT"})]),
        "body_sites": st.just(frozenset({"51185008"})),
        "started_from": st.sampled_from([date(2025, 1, 1), date(2026, 1, 1)]),
        "reports": st.booleans(),
        "images": st.sampled_from(["full", "none"]),
    },
)
TYPES = ("ImagingStudy", "DiagnosticReport", "DocumentReference", "Patient", "Practitioner", "Organization", "Endpoint")
QUERIES = st.lists(
    st.sampled_from(
        ["modality=CT", "modality=PT", "started=ge2026", "_count=1", "_count=2", "_sort=_id", "_summary=true",
         "_summary=count", "_elements=status", "_include=ImagingStudy:endpoint", "_include=DiagnosticReport:performer",
         "patient=ana", "patient=ben", "identifier=1.8", "identifier=1.5", "_id=r1,r9", "status=final", "_total=none",
         "subject:Patient=ana", "_has:x:y:z=1", "bodysite=CHEST", "_lastUpdated=gt2020", "category=RAD"]
    ),
    max_size=3,
)  # fmt: skip
PATHS = st.one_of(
    st.tuples(st.sampled_from(TYPES), QUERIES).map(lambda each: f"/{each[0]}?{'&'.join(each[1])}"),
    st.sampled_from(
        ["/Patient/ana", "/Patient/ben", "/DiagnosticReport/r1", "/DiagnosticReport/r9", "/Practitioner/dr",
         "/Practitioner/ben-dr", "/ImagingStudy/none", "/Binary/none", "/Patient/ana/_history"]
    ),
)  # fmt: skip


@dataclass
class Worlds:
    """Two clinics; the second one has another patient with a long record, whose ids and words come nowhere."""

    one: Clinic
    other: Clinic


@pytest.fixture(scope="module")
def worlds(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with (
        clinic(sqlite_files, tmp_path_factory.mktemp("one")) as one,
        clinic(sqlite_files, tmp_path_factory.mktemp("other")) as other,
    ):
        first = other.composed.first
        reports = [
            report("r9", "Patient/ben", imagingStudy=[{"reference": "ImagingStudy/i9"}], conclusion="Canary of Ben")
        ]
        first.take_in(Record("ben", "Ben Canaryfor", "SE-1002", [study("i9", "1.9", "Patient/ben")], reports))
        first.archive.held += [Made(f"1.9.1.{n}", "1.9.1", "1.9", "SE-1002", number=n) for n in range(1, 4)]
        yield Worlds(one, other)


def seen(app: App, path: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body, without what is drawn at random: the request's id, and sealed links."""
    answer = app.get(path)
    headers = {name: value for name, value in answer.headers if name not in {"X-Request-Id", "Date", "Content-Length"}}
    text = re.sub(r"req-[\w-]+", "req", re.sub(r"_page=[\w-]+", "_page", answer.text))
    text = re.sub(r'"lastUpdated": "[^"]+"', '"lastUpdated"', text)
    headers.pop("Last-Modified", None)
    return answer.status_code, headers, text


@pytest.mark.promise("B3")
@pytest.mark.threat("P6")
@settings(max_examples=40, deadline=None)
@given(scope=SCOPES, terms=TERMS, paths=st.lists(PATHS, min_size=1, max_size=6))
def test_what_is_outside_a_grant_changes_no_answer(
    worlds: Worlds, scope: str, terms: dict[str, Any], paths: list[str]
) -> None:
    one, other = worlds.one.app(scope, **terms), worlds.other.app(scope, **terms)
    for path in paths:
        assert seen(one, path) == seen(other, path), path


@pytest.mark.promise("B3")
@pytest.mark.threat("P7")
@settings(max_examples=40, deadline=None)
@given(scope=SCOPES, terms=TERMS)
def test_what_is_listed_can_be_read_and_nothing_else(worlds: Worlds, scope: str, terms: dict[str, Any]) -> None:
    """By a token that may do both; each resource reads as it was listed."""
    app, wide = worlds.one.app(scope, **terms), worlds.one.app()
    for type_ in TYPES:
        may_list, may_read = app.get(f"/{type_}").status_code, app.get(f"/{type_}/none").status_code
        if (may_list, may_read) != (200, 404):
            continue
        listed = set(app.ids(f"/{type_}?_count=1"))
        assert app.json(f"/{type_}?_summary=count")["total"] == len(listed)
        for id_ in set(wide.ids(f"/{type_}")) | listed:
            assert app.get(f"/{type_}/{id_}").status_code == (200 if id_ in listed else 404), (type_, id_)


@pytest.mark.promise("B3")
@pytest.mark.threat("P14")
@settings(max_examples=100, deadline=None)
@given(
    path=st.lists(st.text(max_size=8), max_size=3).map("/".join),
    query=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=3),
    accept=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
def test_no_soup_is_a_failure_of_ours(worlds: Worlds, path: str, query: list[tuple[str, str]], accept: str) -> None:
    app = worlds.one.app() if not hasattr(worlds, "soup") else worlds.soup
    worlds.soup = app  # type: ignore[attr-defined]  # one token for all examples
    for start in ("/", "/ImagingStudy/", "/DiagnosticReport"):
        answer = app.get(start + _quoted(path), query_string=query, headers={"Accept": accept})
        assert answer.status_code < 500
        json.loads(answer.text or "{}")


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, errors="ignore")
