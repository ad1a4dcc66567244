"""An app's answers are a function of what its grant reaches, and what is listed is what can be read.

One machine changes record and grant step by step and asks over HTTP. Before and after each change a brute-force
reference says what is reached: where that stays the same, not a byte of any answer may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from smartapp.consent.grants.model import GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.settings import Apps
from tests.fhir_facade.app import Clinic, clinic
from tests.properties.grant import SCOPES, Allowed
from tests.properties.hospital import Finding, Scan, Series, first_wing, people
from tests.properties.surface import CORE, STUDIES, Answer, Probe, Surface, everything
from tests.properties.walk import Walk
from tests.support.databases import SqliteFiles
from tests.threats.composed import LIMITS

PROBES = everything()
DRAWN = st.lists(st.integers(0, len(PROBES) - 1), min_size=1, max_size=5)
AGE = 5
LISTS = 600
"""Seconds that a study index, and the list of a study's series, are taken as they are."""
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "chosen": st.sets(st.sampled_from(STUDIES), min_size=1, max_size=4).map(frozenset),
        "modalities": st.sampled_from([frozenset({"CT"}), frozenset({"PT", "MR"})]),
        "body_sites": st.just(frozenset({"51185008"})),
        "started_from": st.just(date(2025, 1, 1)),
        "reports": st.booleans(),
        "images": st.sampled_from(["full", "deidentified", "deidentified", "none"]),
    },
)  # fmt: skip
MODALITIES = st.sampled_from(["CT", "CT", "PT", "MR", "SR"])
SITES = st.sampled_from(["CHEST", "HEAD"])
HELD = {GrantState.PAUSED: 403, GrantState.DORMANT: 403, GrantState.FROZEN: 403, GrantState.NEEDS_SIGN_IN: 403}


class World(RuleBasedStateMachine):
    """One patient's record, one app with one grant. `memo` are answers that were given since anything of it changed."""

    clinic: Clinic

    @initialize(scope=st.sampled_from(SCOPES), terms=TERMS)
    def allow(self, scope: Any, terms: dict[str, Any]) -> None:
        self.wing = first_wing()
        self.listed: dict[Any, Any] = {}
        self.clinic.composed.clock.advance(LISTS)
        self.clinic.forget_credentials()
        self.show()
        self.allowed = Allowed(scope, terms)
        self.surface = Surface(self.clinic.app(scope.text, granted="patient/*.rs", **terms))
        self.memo: dict[Probe, Answer] = {}
        self.reached = self.allowed.view(self.wing)
        self.over = self.walked = False
        self.ask(CORE)

    def show(self) -> None:
        """An archive's lists are taken as they are for ten minutes where nothing is counted anew."""
        self.wing.show(self.clinic.composed.first)
        stale = any(self.listed.setdefault(scan.stamp, scan.series) != scan.series for scan in self.wing.scans.values())
        self.clinic.composed.clock.advance(LISTS + 1 if stale else AGE + 1)
        if stale:
            self.listed = {scan.stamp: scan.series for scan in self.wing.scans.values()}

    def ask(self, probes: Any) -> None:
        """Learns answers, and holds those that are known against what is said now."""
        for probe in probes:
            answer = self.surface.answer(probe)
            assert answer[0] < 500, (probe, answer)
            before = self.memo.setdefault(probe, answer)
            assert before == answer, f"{probe.path} {probe.uids}\n{before}\n{answer}"

    @precondition(lambda self: not self.over)
    @rule(drawn=DRAWN)
    def asks(self, drawn: list[int]) -> None:
        self.ask(PROBES[n] for n in drawn)

    @precondition(lambda self: not self.over and not self.walked)
    @rule()
    def walks(self) -> None:
        self.walked = True
        Walk(self.surface, self.wing, self.allowed).check()

    def changed(self) -> None:
        """The record changed: if what is reached did not, all that was answered is answered again."""
        before, self.reached = self.reached, self.allowed.view(self.wing)
        self.walked = False
        self.show()
        if self.over:
            return
        if before != self.reached:
            self.memo.clear()
        self.ask([*self.memo, *CORE])

    @rule(
        uid=st.sampled_from(STUDIES), modality=MODALITIES, site=SITES, count=st.integers(1, 2),
        burned=st.sets(st.integers(1, 2)).map(frozenset), told=st.booleans(),
    )  # fmt: skip
    def a_series_comes(
        self, uid: str, modality: str, site: str, count: int, burned: frozenset[int], *, told: bool
    ) -> None:
        scan = self.wing.scans.get(uid) or Scan(uid, "20260801")
        taken = {each.uid for each in scan.series}
        free = next((f"{uid}.{n}" for n in range(1, 5) if f"{uid}.{n}" not in taken), None)
        if free is None:
            return
        series = (*scan.series, Series(free, modality, site, count, burned))
        self.wing.change(replace(scan, series=series, held=True, told=series if told else scan.told))
        self.changed()

    @rule(uid=st.sampled_from(STUDIES), at=st.integers(0, 3), told=st.booleans())
    def a_series_goes(self, uid: str, at: int, *, told: bool) -> None:
        scan = self.wing.scans.get(uid)
        if scan is None or at >= len(scan.series):
            return
        series = scan.series[:at] + scan.series[at + 1 :]
        self.wing.change(replace(scan, series=series, told=series if told and scan.told else scan.told))
        self.changed()

    @rule(uid=st.sampled_from(STUDIES), at=st.integers(0, 3), modality=MODALITIES)
    def a_series_turns_out_to_be_another(self, uid: str, at: int, modality: str) -> None:
        """As where the archive keeps its numbers: one goes and one comes."""
        scan = self.wing.scans.get(uid)
        if scan is None or at >= len(scan.series):
            return
        old = scan.series[at]
        taken = {each.uid for each in scan.series}
        free = next((f"{uid}.{n}" for n in range(1, 5) if f"{uid}.{n}" not in taken), None)
        if free is None:
            return
        new = Series(free, modality, old.site, old.count + 1 if old.count < 2 else 1)
        self.wing.change(replace(scan, series=(*scan.series[:at], new, *scan.series[at + 1 :])))
        self.changed()

    @rule(uid=st.sampled_from(STUDIES))
    def a_study_goes(self, uid: str) -> None:
        self.wing.scans.pop(uid, None)
        self.changed()

    @rule(uid=st.sampled_from(STUDIES), what=st.sampled_from(["misfiled", "label", "held", "told"]))
    def a_study_changes_hands(self, uid: str, what: str) -> None:
        scan = self.wing.scans.get(uid)
        if scan is None:
            return
        values: dict[str, Any] = {
            "misfiled": not scan.misfiled, "held": not scan.held, "label": "" if scan.label else "R",
            "told": None if scan.told else scan.series or None,
        }  # fmt: skip
        self.wing.change(replace(scan, **{what: values[what]}))
        self.changed()

    @rule(
        id_=st.sampled_from(["r1", "r2", "r4"]), of=st.lists(st.sampled_from(STUDIES), max_size=2, unique=True),
        category=st.sampled_from(["RAD", "LAB"]), words=st.sampled_from(["Nothing.", "Something."]),
        performer=st.sampled_from(["dr", "dr2"]),
    )  # fmt: skip
    def a_report_comes(self, id_: str, of: list[str], **facts: str) -> None:
        """Or one is written anew."""
        self.wing.findings[id_] = Finding(id_, tuple(uid for uid in of if uid in self.wing.scans), **facts)
        self.changed()

    @rule(id_=st.sampled_from(["r1", "r2", "r3", "r4"]))
    def a_report_goes(self, id_: str) -> None:
        self.wing.findings.pop(id_, None)
        self.changed()

    @rule(many=st.integers(0, 4))
    def somebody_else_is_examined(self, many: int) -> None:
        self.wing.foreign = many
        self.changed()

    @precondition(lambda self: not self.over)
    @rule(narrower=TERMS)
    def the_patient_narrows_it(self, narrower: dict[str, Any]) -> None:
        terms = {**self.allowed.terms}
        for name, value in narrower.items():
            if name == "images":
                continue  # UIDs are the grant's, and go with it
            before = terms.get(name)
            terms[name] = (before & value or before) if isinstance(before, frozenset) else value
        with self.clinic.composed.ground.database.write() as session:
            grant = self.clinic.grants.find(session, self.surface.app.grant_id)
            assert grant is not None
            newer = replace(grant, version=grant.version + 1, terms=Terms(parse("patient/*.rs"), **terms))
            self.clinic.grants.put(session, newer, kind="changed", by="patient")
        same = Allowed(self.allowed.scope, terms).view(self.wing) == self.allowed.view(self.wing)
        self.allowed = Allowed(self.allowed.scope, terms)
        self.reached = self.allowed.view(self.wing)
        self.walked = False
        self.forget(None if same and "reports" not in narrower else "")

    def forget(self, part: str | None) -> None:
        """Answers about the grant itself change with it; if `part` is given, all are forgotten."""
        for probe in list(self.memo):
            if part is not None or "Consent" in probe.path:
                del self.memo[probe]
        self.ask([*self.memo, *CORE])

    @precondition(lambda self: not self.over)
    @rule(state=st.sampled_from(list(HELD)), drawn=DRAWN)
    def the_grant_rests_for_a_while(self, state: GrantState, drawn: list[int]) -> None:
        """Nothing is served, nobody is asked; and then all is as it was."""
        self.refused(state, 403, [PROBES[n] for n in drawn])
        self.clinic.set_state(self.surface.app, GrantState.ACTIVE)
        self.forget(None)

    @precondition(lambda self: not self.over)
    @rule(drawn=DRAWN)
    def the_patient_ends_it(self, drawn: list[int]) -> None:
        self.refused(GrantState.ENDED, 401, [PROBES[n] for n in drawn])
        self.over = True

    def refused(self, state: GrantState, status: int, probes: list[Probe]) -> None:
        self.clinic.set_state(self.surface.app, state)
        calls = self.clinic.calls()
        for probe in [*probes, *CORE[:3]]:
            if not probe.path.endswith("/metadata") or "studies" in probe.path:
                assert self.surface.get(probe).status_code == status, probe
        assert self.clinic.calls() == calls


@pytest.fixture(scope="module")
def running(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    limits = replace(LIMITS, index_max_age=AGE)
    apps = Apps(requests_per_minute=10**9, access_lifetime=10**6)
    with clinic(sqlite_files, tmp_path_factory.mktemp("surface"), upstreams=limits, apps=apps) as found:
        people(found.composed.first)
        found.composed.first.ehr.answer.update(expires_in=10**6)
        yield found


def run(running: Clinic, examples: int, steps: int) -> None:
    """What fails is shown as it was found: to look for the shortest way there would take many minutes."""
    machine = type("WorldOfOneClinic", (World,), {"clinic": running})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_answers_follow_from_the_grant_alone_and_what_is_listed_is_read(running: Clinic) -> None:
    run(running, 8, 10)


@pytest.mark.soak
@pytest.mark.promise("B3")
@pytest.mark.threat("P6", "P7")
def test_the_same_for_long(running: Clinic) -> None:
    run(running, 300, 40)
