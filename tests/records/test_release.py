"""Which reports may be shown when: the truth table, and that what is held back is not even fetched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartapp.errors import NotFound
from smartapp.identity.model import PrincipalKind
from smartapp.records.model import IndexedStudy, ReportLink, Withheld
from smartapp.records.release import release, withheld
from smartapp.settings import Delay, Jurisdiction
from tests.fhir_upstream.fake_fhir import FakeFhir
from tests.fhir_upstream.fake_fhir import report as report_of_fhir
from tests.fhir_upstream.fake_fhir import study as study_of_fhir
from tests.records.desk import Desk

ISSUED = datetime(2026, 9, 17, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOPAT = "http://terminology.hl7.org/CodeSystem/v3-ActCode|NOPAT"
LATER = Delay(72, categories=("18748-4",), modalities=("CT",))
STRICT = Jurisdiction("strict", "held", (NOPAT,), (LATER, Delay(24, modalities=("CT",)), Delay(240, ("LAB",))))


def report(**more: Any) -> ReportLink:
    return replace(ReportLink("r", "final", "CT", ISSUED, ("18748-4",), ()), **more)


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("rules", "link", "modalities", "at", "expected"),
    [
        (Jurisdiction("plain"), report(), ("CT",), ISSUED, None),
        (Jurisdiction("plain"), report(status="preliminary"), ("CT",), ISSUED, None),
        (Jurisdiction("plain"), report(marks=(NOPAT,)), ("CT",), ISSUED, None),
        (STRICT, report(status="preliminary"), (), ISSUED, ("preliminary", None)),
        (STRICT, report(status="amended"), (), ISSUED, None),
        (STRICT, report(marks=(NOPAT,)), (), ISSUED, ("blocked", None)),
        (STRICT, report(marks=(NOPAT,), status="preliminary"), ("CT",), ISSUED, ("blocked", None)),
        (STRICT, report(marks=("|NOPAT",)), (), ISSUED, None),
        (STRICT, report(), ("CT",), ISSUED, ("delayed", 72)),
        (STRICT, report(), ("CT", "SR"), ISSUED + 71 * HOUR, ("delayed", 72)),
        (STRICT, report(), ("CT",), ISSUED + 72 * HOUR, None),
        (STRICT, report(categories=("OTHER",)), ("CT",), ISSUED, ("delayed", 24)),
        (STRICT, report(categories=()), ("CT",), ISSUED + 24 * HOUR, None),
        (STRICT, report(), ("MR",), ISSUED, None),
        (STRICT, report(categories=("LAB",)), (), ISSUED, ("delayed", 240)),
        (STRICT, report(issued=None), ("CT",), ISSUED, None),
    ],
)
def test_the_truth_table(
    rules: Jurisdiction,
    link: ReportLink,
    modalities: tuple[str, ...],
    at: datetime,
    expected: tuple[Any, int | None] | None,
) -> None:
    found = withheld(rules, link, modalities, at)
    if expected is None:
        assert found is None
        return
    why, hours = expected
    assert found == Withheld("r", why, ISSUED + hours * HOUR if hours else None)


def study(*reports: ReportLink) -> IndexedStudy:
    empty: dict[str, Any] = {"body_parts": (), "body_sites": (), "labels": (), "row": {}}
    return IndexedStudy("1.2", True, False, None, "", ("CT",), place="", series_count=1, instance_count=1,
                        reports=reports, **empty)  # fmt: skip


def test_reports_are_judged_one_by_one_and_keep_their_order() -> None:
    links = (report(id="a", marks=(NOPAT,)), report(id="b", issued=None), report(id="c"), report(id="d", issued=None))
    found = release(STRICT, study(*links), PrincipalKind.PATIENT, ISSUED)
    assert [link.id for link in found.shown] == ["b", "d"]
    assert [(held.report_id, held.why) for held in found.withheld] == [("a", "blocked"), ("c", "delayed")]


@pytest.mark.parametrize(
    ("rules", "kind", "shown"),
    [
        (STRICT, PrincipalKind.PATIENT, 0),
        (STRICT, PrincipalKind.REPRESENTATIVE, 0),
        (STRICT, PrincipalKind.CLINICIAN, 1),
        (None, PrincipalKind.PATIENT, 1),
    ],
)
def test_for_whom_it_holds(rules: Jurisdiction | None, kind: PrincipalKind, shown: int) -> None:
    assert len(release(rules, study(report(marks=(NOPAT,))), kind, ISSUED).shown) == shown


NOTE = {"contentType": "text/plain", "data": "YSBub3Rl"}


def strict(desk: Desk, ehr: FakeFhir, *, issued: str, tags: tuple[str, ...] = ()) -> Desk:
    """A hospital under the strict rules, with a report of the chest CT. A tag is put on the ImagingStudy."""
    fields: dict[str, Any] = {"imagingStudy": [{"reference": "ImagingStudy/i1"}], "presentedForm": [NOTE]}
    fields |= {"conclusion": "Bad news.", "issued": issued, "code": {"text": "Biopsy", "coding": [{"code": "18748-4"}]}}
    meta = {"tag": [dict(zip(("system", "code"), tag.split("|"), strict=True)) for tag in tags]}
    desk = replace(desk, hospital={"jurisdiction": "strict"}, jurisdictions=(STRICT,))
    desk.tell(studies=[{**study_of_fhir(uid="1.2.3"), "meta": meta}], reports=[report_of_fhir(**fields)])
    ehr.at("DiagnosticReport/r1", report_of_fhir(**fields))
    return desk


@pytest.mark.promise("A2")
@pytest.mark.parametrize("why", ["blocked", "delayed"])
def test_what_is_held_back_is_said_and_never_fetched(desk: Desk, ehr: FakeFhir, why: str) -> None:
    issued = (desk.house.clock.now() - HOUR).isoformat()
    strictly = strict(desk, ehr, issued=issued, tags=(NOPAT,) if why == "blocked" else ())
    (listed,) = [each for each in strictly.records.studies(strictly.principal(), "req").studies if each.uid == "1.2.3"]
    assert (listed.report_status, listed.report_ids, listed.report_titles) == ("withheld", (), ())
    page = strictly.records.study(strictly.principal(), "1.2.3", "req")
    assert (page.reports, page.problems) == ((), ())
    assert [held.why for held in page.withheld] == [why]
    with pytest.raises(NotFound):
        strictly.records.attachment(strictly.principal(), "1.2.3", "r1", 0, "req")
    assert ehr.asked("DiagnosticReport/r1") == []


@pytest.mark.promise("A2")
def test_it_is_shown_when_its_time_has_come(desk: Desk, ehr: FakeFhir) -> None:
    issued = (desk.house.clock.now() - 72 * HOUR).isoformat()
    strictly = strict(desk, ehr, issued=issued)
    page = strictly.records.study(strictly.principal(), "1.2.3", "req")
    assert [each.conclusion for each in page.reports] == ["Bad news."]
    assert page.withheld == ()
    assert strictly.records.attachment(strictly.principal(), "1.2.3", "r1", 0, "req").body == b"a note"
