"""The series of many studies, asked at once: the same as study by study, or left for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.clock import SystemClock
from smartapp.dicomweb.core.dicomjson import Row
from smartapp.dicomweb.upstream.model import PatientIds
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import UpstreamDown, UpstreamMismatch
from smartapp.outbound.service import Outbound
from smartapp.sandbox.world import build_world
from smartapp.settings import Upstreams
from tests.dicomweb_upstream.archive import Archive, Asked, Reply, rows_reply, running_archive
from tests.dicomweb_upstream.conftest import Alarms, Tokens, provider
from tests.dicomweb_upstream.objects import index_permit
from tests.sandbox.pacs.conftest import embedded_pacs, orthanc_pacs, pacs, scan_files
from tests.sandbox.pacs.servers import HOSPITAL, Pacs

__all__ = ["embedded_pacs", "orthanc_pacs", "pacs", "scan_files"]

IDS = PatientIds(("SE-1001", "OLD-77"), "ST-ELSEWHERE")
PEOPLE = [each for each in build_world().hospital(HOSPITAL).people if len(each.studies) > 1 and not each.replaces]
ROOT = "/dicom-web/series"
LIMITS = Upstreams(connect_timeout=1.0, read_timeout=0.4, total_timeout=3.0, max_pages=8)


def _row(study: str, number: int, patient_id: str, **other: str) -> dict[str, Any]:
    said = {
        "00080060": ("CS", "CT"), "00100020": ("LO", patient_id), "0020000D": ("UI", study),
        "0020000E": ("UI", f"{study}.{number}"), "00100021": ("LO", "ST-ELSEWHERE"),
    }  # fmt: skip
    said |= {tag: (said[tag][0], value) for tag, value in other.items()}
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in said.items() if value}


@dataclass
class Kind:
    """An archive with its habits. `series` is how many each study has; `counted` how many the index believes."""

    series: list[int]
    cap: int = 500
    warns: bool = True
    turns_pages: bool = True
    status: int = 200
    filters: bool = True
    silent: str = ""
    """The tag that its rows do not carry in a search over all studies."""
    others: int = 0

    def rows(self, patient_id: str | None) -> list[dict[str, Any]]:
        found = [
            _row(f"1.2.{at}", number, self.owner(at))
            for at, count in enumerate(self.series)
            for number in range(count)
            if patient_id in {None, self.owner(at)}
        ]
        foreign = [_row(f"1.9.{at}", 0, "SE-1002") for at in range(self.others)]
        return found if self.filters and patient_id else found + foreign

    @staticmethod
    def owner(at: int) -> str:
        return IDS.values[at % 2]

    def answer(self, asked: Asked) -> Reply:
        if asked.path != ROOT:
            study = asked.path.split("/")[-2]
            return rows_reply([row for row in self.rows(None) if row["0020000D"]["Value"] == [study]])
        if self.status != 200:
            return Reply(self.status)
        rows = self.rows(asked.query["PatientID"][0] if self.filters else None)
        at = int(asked.query["offset"][0]) if self.turns_pages else 0
        page = [{tag: value for tag, value in row.items() if tag != self.silent} for row in rows[at : at + self.cap]]
        reply = rows_reply(page)
        if self.warns and at + self.cap < len(rows):
            reply.headers["Warning"] = '299 archive "There are more"'
        return reply


KINDS = st.builds(
    Kind,
    series=st.lists(st.integers(0, 4), max_size=8),
    cap=st.sampled_from([1, 2, 3, 500]),
    warns=st.booleans(),
    turns_pages=st.booleans(),
    status=st.sampled_from([200, 200, 200, 200, 400, 404, 500, 501]),
    filters=st.sampled_from([True, True, True, False]),
    silent=st.sampled_from(["", "", "", "00100020", "0020000D", "00100021"]),
    others=st.integers(0, 3),
)


@pytest.fixture(scope="module")
def running() -> Iterator[Archive]:
    with running_archive() as archive:
        yield archive


def reading(archive: Archive, kind: Kind, alarms: Alarms | None = None, limits: Upstreams = LIMITS) -> PacsReader:
    archive.script = kind.answer
    outbound = Outbound(limits, SystemClock(), sleep=lambda _seconds: None)
    return PacsReader(provider(archive.url), outbound, Tokens(), limits, alarms or Alarms())


def many(reader: PacsReader, counts: dict[str, int]) -> dict[str, tuple[Row, ...]]:
    return reader.series_of_many(index_permit(), IDS, counts)


@pytest.mark.promise("E8")
@given(KINDS, st.integers(0, 3), st.data())
@settings(max_examples=40)
def test_what_is_told_at_once_is_what_is_told_study_by_study(
    running: Archive, kind: Kind, wrong: int, data: st.DataObject
) -> None:
    """Whatever its habits: it answers in full for a study, or not at all; and for none that was not asked about."""
    asked = data.draw(st.sets(st.integers(0, 7))) & set(range(len(kind.series)))
    counts = {f"1.2.{at}": kind.series[at] + (1 if at == wrong else 0) for at in asked}
    reader = reading(running, kind)
    told = many(reader, counts)
    assert told.keys() <= counts.keys()
    for study, rows in told.items():
        by_itself = reader.series(index_permit(), IDS, study)
        assert sorted(map(str, rows)) == sorted(
            str({tag: value for tag, value in row.items() if tag != kind.silent}) for row in by_itself
        )
    if kind.status == 200 and kind.filters and kind.cap == 500 and kind.silent not in {"00100020", "0020000D"}:
        assert told.keys() == {f"1.2.{at}" for at in asked if kind.series[at] and at != wrong}


@pytest.mark.promise("E8")
def test_pages_of_a_capped_answer_are_turned(running: Archive) -> None:
    kind = Kind([3, 3], cap=2)
    running.asked.clear()
    told = many(reading(running, kind), {"1.2.0": 3, "1.2.1": 3})
    assert {study: len(rows) for study, rows in told.items()} == {"1.2.0": 3, "1.2.1": 3}
    assert [each.query["offset"][0] for each in running.asked] == ["0", "2", "0", "2"]


@pytest.mark.promise("E8")
def test_of_more_pages_than_are_turned_the_first_ones_count(running: Archive) -> None:
    kind = Kind([2, 0, 2, 0, 2], cap=1)
    told = many(reading(running, kind, limits=Upstreams(max_pages=3)), {f"1.2.{at}": 2 for at in (0, 2, 4)})
    assert told.keys() == {"1.2.0"}


@pytest.mark.threat("A4")
def test_an_archive_that_does_not_filter_is_not_read_to_its_end(running: Archive) -> None:
    kind = Kind([1], cap=1, filters=False, others=50)
    running.asked.clear()
    many(reading(running, kind), {"1.2.0": 1})
    assert len(running.asked) == 2


@pytest.mark.threat("F3")
@pytest.mark.parametrize("tag", ["00100020", "00100021"])
def test_a_study_of_the_patients_with_a_row_of_somebody_else_is_refused_and_told(running: Archive, tag: str) -> None:
    kind, alarms = Kind([1, 1]), Alarms()
    reader = reading(running, kind, alarms)
    wrong = _row("1.2.1", 7, "SE-1001", **{tag: "SE-1002"})
    running.script = lambda _asked: rows_reply([*kind.rows("SE-1001"), wrong])
    with pytest.raises(UpstreamMismatch):
        many(reader, {"1.2.0": 1, "1.2.1": 2})
    assert alarms.rung == ["pacs-series-row"]


@pytest.mark.threat("F5")
def test_an_archive_that_is_down_is_not_asked_study_by_study(running: Archive) -> None:
    with pytest.raises(UpstreamDown):
        many(reading(running, Kind([1], status=503)), {"1.2.0": 1})


@pytest.mark.promise("E8")
@pytest.mark.parametrize("person", PEOPLE, ids=lambda one: one.mrn)
def test_a_real_archive_tells_all_at_once(pacs: Pacs, person: Any, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(pacs.auth[1])
    facts = {"dicomweb_auth": "basic", "dicomweb_user": pacs.auth[0], "dicomweb_password_file": password}
    limits = Upstreams()
    outbound = Outbound(limits, SystemClock())
    reader = PacsReader(provider(pacs.dicomweb, **facts), outbound, Tokens(), limits, Alarms())
    ids = PatientIds(tuple(value for _, value in person.identifiers), "ST-ELSEWHERE")
    counts = {study.uid: len(study.series) for study in person.studies}
    told = reader.series_of_many(index_permit(), ids, counts)
    assert told.keys() == counts.keys()
    for study in person.studies[:5]:
        by_itself = reader.series(index_permit(), ids, study.uid)
        assert _said(told[study.uid]) == _said(by_itself)


def _said(rows: tuple[Row, ...]) -> set[tuple[str, ...]]:
    """What a grant judges by, and what a list shows."""
    tags = ("0020000E", "00080060", "00180015", "0008103E", "00201209", "00200011")
    return {tuple(str(row.get(tag, {}).get("Value")) for tag in tags) for row in rows}
