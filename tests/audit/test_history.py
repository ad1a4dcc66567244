"""Audit before disclosure, over any history of two workers that are killed and of a database that fails."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from smartapp.db.engine import make_engine
from smartapp.db.unit import Database
from smartapp.errors import AuditUnavailable, PermitEnded
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from tests.access.faults import break_table, mend_table
from tests.access.house import ANA, House
from tests.access.trail import detail, disclosure, rows
from tests.support.databases import SqliteFiles


class Histories(RuleBasedStateMachine):
    """`sent` is what really left under each disclosure; the trail may say "unknown", but never too little."""

    disclosures = Bundle("disclosures")
    files: SqliteFiles

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.stack.enter_context(self.files.ready())
        engine = make_engine(DatabaseSettings(url, lock_timeout=0.5))
        self.stack.callback(engine.dispose)
        first = House(Database(engine), Keyring.create(folder / "keys"))
        self.workers = [first, first.another()]
        self.who = first.principal()
        self.broken: str | None = None
        self.sent: dict[str, int] = {}
        self.streams: list[tuple[House, str]] = []

    def teardown(self) -> None:
        self.stack.close()

    @rule(
        target=disclosures,
        worker=st.integers(0, 1),
        study=st.sampled_from(["1", None]),
        extent=st.sampled_from(["summary", "images"]),
    )
    def open(self, worker: int, study: str | None, extent: str) -> Any:
        try:
            found = self.workers[worker].audit.open_disclosure(
                self.who,
                ANA,
                study,
                extent=extent,
                authority="patient",
                action="list",
                purpose="PATRQT",
                request_id="r",
            )
        except AuditUnavailable:
            assert self.broken
            return "none"
        self.sent.setdefault(found, 0)
        return found

    @rule(worker=st.integers(0, 1), disclosure_id=disclosures)
    def begin(self, worker: int, disclosure_id: str) -> None:
        try:
            self.workers[worker].audit.begin_stream(disclosure_id)
        except (AuditUnavailable, PermitEnded):
            return
        self.streams.append((self.workers[worker], disclosure_id))

    @rule(worker=st.integers(0, 1), disclosure_id=disclosures, size=st.integers(1, 9))
    def answer(self, worker: int, disclosure_id: str, size: int) -> None:
        try:
            self.workers[worker].audit.count(disclosure_id, bytes=size)
        except (AuditUnavailable, PermitEnded):
            return
        self.sent[disclosure_id] += size

    @rule(data=st.data(), size=st.integers(1, 9))
    def stream(self, data: st.DataObject, size: int) -> None:
        if not self.streams:
            return
        worker, disclosure_id = data.draw(st.sampled_from(self.streams))
        try:
            worker.audit.count(disclosure_id, bytes=size)
        except (AuditUnavailable, PermitEnded):
            return
        self.sent[disclosure_id] += size

    @rule(data=st.data(), complete=st.booleans())
    def end(self, data: st.DataObject, *, complete: bool) -> None:
        if self.streams:
            worker, disclosure_id = self.streams.pop(data.draw(st.integers(0, len(self.streams) - 1)))
            worker.audit.end_stream(disclosure_id, complete=complete)

    @rule(worker=st.integers(0, 1), disclosure_id=disclosures, size=st.integers(1, 9))
    def stream_at_once(self, worker: int, disclosure_id: str, size: int) -> None:
        before = len(self.streams)
        self.begin(worker, disclosure_id)
        if len(self.streams) > before:
            self.workers[worker].audit.count(disclosure_id, bytes=size)
            self.sent[disclosure_id] += size

    @rule(worker=st.integers(0, 1))
    def kill(self, worker: int) -> None:
        """The process is gone, and what it remembered; another starts in its place."""
        dead = self.workers[worker]
        self.streams = [stream for stream in self.streams if stream[0] is not dead]
        self.workers[worker] = dead.another()

    @rule(worker=st.integers(0, 1))
    def tidy(self, worker: int) -> None:
        try:
            self.workers[worker].audit.tidy()
        except AuditUnavailable:
            assert self.broken

    @rule(seconds=st.sampled_from([0.5, 1, 120, 300, 300, 3600]))
    def wait(self, seconds: float) -> None:
        self.workers[0].clock.advance(seconds)

    @rule(table=st.sampled_from(["audit_events", "disclosures"]), what=st.sampled_from(["INSERT", "UPDATE"]))
    def break_or_mend(self, table: str, what: str) -> None:
        database = self.workers[0].database
        if self.broken:
            mend_table(database, self.broken)
            self.broken = None
        else:
            break_table(database, table, what)
            self.broken = table

    @invariant()
    def intents_and_outcomes_agree_with_what_left(self) -> None:
        house = self.workers[0]
        intents = [row.disclosure_id for row in rows(house, "disclosure.opened")]
        assert sorted(intents) == sorted(self.sent)
        outcomes = rows(house, "disclosure.closed")
        assert len({row.disclosure_id for row in outcomes}) == len(outcomes)
        seq_of = {row.disclosure_id: row.seq for row in rows(house, "disclosure.opened")}
        for row in outcomes:
            assert seq_of[row.disclosure_id] < row.seq
            said = detail(house, row)
            assert said["outcome"] == disclosure(house, row.disclosure_id).outcome
            if said["outcome"] != "unknown":
                assert int(said["bytes"]) == self.sent[row.disclosure_id]


@pytest.mark.promise("E1")
@pytest.mark.promise("E8")
@pytest.mark.threat("T11")
def test_no_history_makes_the_trail_say_too_little(sqlite_files: SqliteFiles) -> None:
    Histories.files = sqlite_files
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # with databases, shrinking takes minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
