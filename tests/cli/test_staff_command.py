"""`smartapp staff …`: the staff's desk, on the tables that it would stand on."""

import getpass
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from smartapp import cli
from smartapp.bootstrap.ground import Ground, lay_ground
from smartapp.bootstrap.staff_desk import quoted
from smartapp.bootstrap.worklist import build_worklist
from smartapp.clock import SystemClock
from smartapp.records.unmatched import Refreshed, Unmatched
from smartapp.settings import load
from tests.access import trail
from tests.support.configuration import shipped
from tests.worklist.office import INES, MISFILED

Say = Callable[..., tuple[int, str]]


@dataclass
class Hospital:
    """One installation, with what its patients' refreshes found."""

    config: Path
    ground: Ground

    def refresh(self, *found: Unmatched) -> None:
        self.found(Refreshed(self.ground.clock.now(), found, complete=True))

    def found(self, found: Refreshed) -> None:
        build_worklist(self.ground).observe(INES, found, "req-refresh")


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    config = shipped(tmp_path)
    assert cli.main(["--config", str(config), "keys", "init"]) == 0
    assert cli.main(["--config", str(config), "db", "upgrade"]) == 0
    ground = lay_ground(load(config, {}), SystemClock())
    yield Hospital(config, ground)
    ground.database.engine.dispose()


@pytest.fixture
def say(hospital: Hospital, capsys: pytest.CaptureFixture[str]) -> Say:
    capsys.readouterr()

    def run(*arguments: str) -> tuple[int, str]:
        status = cli.main(["--config", str(hospital.config), "staff", *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def only(say: Say) -> str:
    """The id of the one item."""
    status, said = say("worklist", "--json")
    assert status == 0
    [line] = said.splitlines()
    return str(json.loads(line)["id"])


@pytest.mark.promise("A2")
def test_an_item_is_found_read_taken_and_settled(hospital: Hospital, say: Say) -> None:
    assert say("worklist") == (0, "The worklist is empty.\n")
    hospital.refresh(MISFILED)
    item = only(say)
    status, said = say("worklist", "--provider", "st-elsewhere", "--state", "open")
    assert status == 0
    assert said.startswith(f"{item}  st-elsewhere  study-unmatched  open  since ")
    status, said = say("show", item, "--as", "Rosa Records")
    assert status == 0
    for told in (
        'withheld from the record of  Patient "ines-carvalho-1986" (record numbers "SE-1007-INES", "OLD-12-INES")',
        'the EHR says   Patient "ines-carvalho-1986" (ImagingStudy "img-ines-misfiled")',
        'the PACS says  PatientID "SE-4040-NOBODY", issuer "ST-ELSEWHERE"',
        MISFILED.uid, 'accession  "I210630-0001"', "date  2021-06-30 10:00 CDT", '"X-ray left hand, 2021"', '"DX"',
    ):  # fmt: skip
        assert told in said
    assert say("take", item, "--as", "Rosa Records") == (0, f'{item} is taken by "Rosa Records".\n')
    assert "  taken  " in say("worklist", "--state", "taken")[1]
    settling = ("settle", item, "--how", "left", "--note", "same person,\ntwo records", "--as", "Rosa Records")
    status, said = say(*settling)
    assert (status, said.partition(". ")[0]) == (0, f"{item} is settled")
    status, said = say("show", item)
    assert "settled (left)" in said
    assert 'settled by "Rosa Records"' in said
    assert 'note  "same person, two records"' in said
    assert say("worklist", "--state", "open") == (0, "Nothing on the worklist is open.\n")


@pytest.mark.promise("E1")
def test_a_list_names_nobody_and_a_look_is_in_the_patients_trail(hospital: Hospital, say: Say) -> None:
    hospital.refresh(MISFILED)
    item = only(say)
    listed = say("worklist")[1] + say("worklist", "--json")[1]
    for told in (INES.patient_id, MISFILED.uid, MISFILED.patient_id, MISFILED.accessions[0], MISFILED.description):
        assert told not in listed
    say("show", item, "--as", "Rosa Records")
    audited: Any = hospital.ground  # it has what the trail's reader needs
    [row] = trail.rows(audited, "worklist.shown")
    said = trail.detail(audited, row, INES)
    assert (said["by"], said["as"], said["item"]) == (f"operator {getpass.getuser()}", "Rosa Records", item)


def test_programs_read_it_as_json(hospital: Hospital, say: Say) -> None:
    hospital.refresh(MISFILED)
    item = only(say)
    told = json.loads(say("show", item, "--json")[1])
    assert (told["id"], told["provider"], told["state"], told["times_seen"]) == (item, "st-elsewhere", "open", 1)
    assert (told["patient"], told["by"], told["note"]) == (INES.patient_id, "", "")
    assert (told["facts"]["patient_id"], told["facts"]["subjects"]) == ("SE-4040-NOBODY", ["ines-carvalho-1986"])
    assert told["facts"]["started"] == "2021-06-30T15:00:00+00:00"


def test_what_became_right_says_so(hospital: Hospital, say: Say) -> None:
    hospital.refresh(MISFILED)
    hospital.refresh()
    status, said = say("show", only(say))
    assert status == 0
    assert "settled by itself: EHR and PACS agree now" in said


def test_a_study_that_one_source_does_not_have_is_said_to_be_unknown_there(hospital: Hospital, say: Say) -> None:
    hospital.refresh(replace(MISFILED, patient_id="", issuer="", subjects=("ben",), started=None, accessions=()))
    said = say("show", only(say))[1]
    assert "the PACS says  nothing of it" in said
    assert 'the EHR says   Patient "ben"' in said
    assert "date" not in said
    assert "accession" not in said


def test_what_was_erased_is_said(hospital: Hospital, say: Say) -> None:
    hospital.refresh(MISFILED)
    hospital.ground.datakeys.destroy(str(INES))
    status, said = say("show", only(say))
    assert status == 0
    assert "erased" in said
    assert json.loads(say("show", only(say), "--json")[1])["facts"] is None


@pytest.mark.promise("E1")
@pytest.mark.threat("W3")
def test_no_word_of_a_source_moves_the_terminal(hospital: Hospital, say: Say) -> None:
    evil = 'x\x1b[2J\x07\r\n"\\\u202egpj\u2028'
    hospital.refresh(replace(MISFILED, description=evil, patient_id=evil, accessions=(evil,), subjects=(evil,)))
    for arguments in (("show", only(say)), ("show", only(say), "--json")):
        status, said = say(*arguments)
        assert status == 0
        assert all(line.isprintable() for line in said.split("\n"))
    assert quoted(evil) == '"x\\x1b[2J\\x07\\r\\n\\"\\\\\\u202egpj\\u2028"'


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("worklist", "--provider", "no\x1bwhere"), 'no provider "no\\x1bwhere": choose of st-elsewhere'),
        (("show", "wrk-\x07none"), 'no item "wrk-\\x07none"'),
        (("take", "wrk-none", "--as", "Rosa"), "no item"),
        (("settle", "wrk-none", "--how", "left", "--note", "known", "--as", "Rosa"), "no item"),
        (("take", "ITEM", "--as", "  "), "--as must be your name"),
        (("take", "ITEM", "--as", "R\x1bosa"), "control character"),
        (("take", "ITEM", "--as", "R" * 81), "at most 80"),
        (("settle", "ITEM", "--how", "left", "--note", " ", "--as", "Rosa"), "--note must say"),
        (("settle", "ITEM", "--how", "left", "--note", "n" * 1001, "--as", "Rosa"), "at most 1000"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(
    hospital: Hospital, say: Say, arguments: tuple[str, ...], says: str
) -> None:
    hospital.refresh(MISFILED)
    item = only(say)
    status, said = say(*(item if each == "ITEM" else each for each in arguments))
    assert status == 2
    assert says in said
    assert json.loads(say("worklist", "--json")[1])["state"] == "open"


def test_who_is_at_it_and_what_is_settled_is_said(hospital: Hospital, say: Say) -> None:
    hospital.refresh(MISFILED)
    item = only(say)
    say("take", item, "--as", "Rosa")
    status, said = say("take", item, "--as", "Sam")
    assert (status, '"Rosa" is at it already' in said) == (2, True)
    settling = ("settle", item, "--how", "not-ours", "--note", "order of another", "--as", "Sam")
    assert say(*settling)[0] == 0
    for again in (settling, ("take", item, "--as", "Sam")):
        status, said = say(*again)
        assert (status, "settled already" in said) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("take", "wrk-1"),
        ("settle", "wrk-1", "--how", "left", "--as", "Rosa"),
        ("settle", "wrk-1", "--how", "forgotten", "--note", "x", "--as", "Rosa"),
        ("worklist", "--state", "lost"),
        (),
    ],
)
def test_a_command_without_its_parts_is_refused(say: Say, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        say(*arguments)
    assert ended.value.code == 2
