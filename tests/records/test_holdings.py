"""What a first look at an approval with kinds ticked costs, and that it is judged by the same facts either way."""

from __future__ import annotations

from typing import Any

import pytest

from smartapp.consent.facts import SeriesFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.grammar import parse
from smartapp.records.known import Known
from tests.dicomweb_upstream.archive import Asked, Reply, rows_reply
from tests.dicomweb_upstream.objects import Made
from tests.records.desk import CHEST, Desk

SCOPES = parse("patient/*.rs")
CT_ONLY = Reach(SCOPES, Terms(SCOPES, modalities=frozenset({"CT"})), lambda uid: uid)
ROOT = "/dicom-web/series"


def many(count: int) -> list[Made]:
    """Studies of one or two series, every tenth under the old number."""
    return [
        Made(f"1.7.{at}.{series}.1", f"1.7.{at}.{series}", f"1.7.{at}", *(("OLD-77", "") if at % 10 == 0 else ()))
        for at in range(count)
        for series in range(1 + at % 2)
    ]


def by_id(desk: Desk, asked: Asked, *, cap: int = 10_000) -> Reply | None:
    """An archive that searches over all studies by PatientID, and says which study each series is of."""
    if asked.path != ROOT:
        return None
    held = [made for made in desk.archive.held if made.patient_id == asked.query["PatientID"][0]]
    at = int(asked.query["offset"][0])
    reply = rows_reply([_row(made) for made in held][at : at + min(cap, int(asked.query["limit"][0]))])
    if at + cap < len(held):
        reply.headers["Warning"] = '299 archive "more"'
    return reply


def _row(made: Made) -> dict[str, Any]:
    said = {
        "00080060": ("CS", "CT"), "0008103E": ("LO", "Axial"), "00100020": ("LO", made.patient_id),
        "0020000D": ("UI", made.study), "0020000E": ("UI", made.series), "00200011": ("IS", 1), "00201209": ("IS", 1),
    }  # fmt: skip
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in said.items()}


def look(desk: Desk) -> tuple[Known, list[str]]:
    """What may be chosen from, and the paths at which the archive was asked for series."""
    desk.archive.asked.clear()
    found = desk.records.known(desk.principal(), "req", CT_ONLY)
    return found, [each.path for each in desk.archive.asked if each.path.endswith("/series")]


def later(desk: Desk) -> None:
    desk.house.clock.advance(601)


def facts(known: Known) -> dict[str, set[SeriesFacts]]:
    return {study.uid: set(study.series) for study in known.studies}


@pytest.mark.promise("B3")
def test_five_hundred_studies_cost_one_question_for_each_number_and_page(desk: Desk) -> None:
    """Seven hundred and fifty series: two pages of the record number's, one of the old number's."""
    desk.archive.held = many(500)
    desk.archive.script = lambda asked: by_id(desk, asked)
    known, asked = look(desk)
    assert asked == [ROOT, ROOT, ROOT]
    assert len(known.studies) == 500
    assert sum(len(study.series) for study in known.studies) == 750
    assert look(desk)[1] == [], "kept for some minutes"


@pytest.mark.promise("B3")
@pytest.mark.parametrize("cap", [1, 3, 7])
def test_studies_are_judged_alike_whichever_way_the_archive_tells_of_their_series(desk: Desk, cap: int) -> None:
    desk.archive.held = many(12)
    desk.archive.script = lambda asked: by_id(desk, asked, cap=cap)
    at_once, asked = look(desk)
    assert set(asked) == {ROOT}
    later(desk)
    desk.archive.script = lambda asked: Reply(400) if asked.path == ROOT else None
    one_by_one, asked = look(desk)
    assert len(asked) == 13, "and the question that was not answered"
    assert facts(one_by_one) == facts(at_once)


@pytest.mark.promise("B3")
def test_what_is_not_told_at_once_is_asked_study_by_study(desk: Desk) -> None:
    """An archive that gives some rows and keeps silent about the rest."""
    desk.archive.held = many(8)

    def some(asked: Asked) -> Reply | None:
        return rows_reply([_row(made) for made in many(4) if made.patient_id in asked.query["PatientID"]])

    desk.archive.script = lambda asked: some(asked) if asked.path == ROOT else None
    known, asked = look(desk)
    assert sorted(set(asked) - {ROOT}) == [f"/dicom-web/studies/1.7.{at}/series" for at in (4, 5, 6, 7)]
    assert all(study.series for study in known.studies)


def test_few_studies_are_asked_for_by_themselves(desk: Desk) -> None:
    """Two numbers, two studies: a search over each number would be no fewer requests."""
    desk.archive.held = [*CHEST, Made("1.6.1.1", "1.6.1", "1.6")]
    assert len(look(desk)[1]) == 2


@pytest.mark.promise("E1")
def test_that_series_are_asked_for_is_written_down_before_and_once(desk: Desk) -> None:
    desk.archive.held = many(30)
    desk.archive.script = lambda asked: by_id(desk, asked)
    look(desk)
    assert desk.kinds().count("access.index") == 2, "one for the index, one for the series"


@pytest.mark.promise("E8")
def test_an_archive_that_is_down_is_not_asked_for_each_study(desk: Desk) -> None:
    desk.archive.held = many(30)
    desk.archive.script = lambda asked: Reply(503) if asked.path.endswith("/series") else None
    known, asked = look(desk)
    assert "pacs-missing" in known.problems
    assert set(asked) == {ROOT}
