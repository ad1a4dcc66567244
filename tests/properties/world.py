"""The machine: one patient's record and what an app may see of it, changed step by step and asked about over HTTP.

Before and after each change a brute-force reference says what is reached: where that stays the same, not a byte of any
answer may differ.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from smartapp.consent.grants.model import GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.settings import Jurisdiction
from tests.fhir_facade.app import REDIRECT, VERIFIER, Clinic
from tests.launch.house import ShiftedClock
from tests.properties.consents import Denial
from tests.properties.glance import Glance
from tests.properties.grant import SCOPES, Allowed
from tests.properties.hospital import Finding, first_wing
from tests.properties.pacs import Shelf
from tests.properties.scans import Scan, Series
from tests.properties.surface import CORE, FINDINGS, STUDIES, Answer, Probe, Surface, everything
from tests.properties.walk import Walk

PROBES = everything()
DRAWN = st.lists(st.integers(0, len(PROBES) - 1), min_size=1, max_size=5)
AGE = 5
LISTS = 600
"""Seconds that a study index, and the list of a study's series, are taken as they are."""
TOKEN = timedelta(minutes=30)
"""How old a token gets before the app has another: none lives longer than an hour."""
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "chosen": st.sets(st.sampled_from(STUDIES), min_size=1, max_size=4).map(frozenset),
        "modalities": st.sampled_from([frozenset({"CT"}), frozenset({"PT", "MR"})]),
        "body_sites": st.just(frozenset({"51185008"})),
        "started_from": st.just(date(2025, 1, 1)),
        "reports": st.booleans(),
        "images": st.sampled_from(["full", "deidentified", "deidentified", "none"]),
        "sensitive": st.just(frozenset(STUDIES)),
    },
)  # fmt: skip
MODALITIES = st.sampled_from(["CT", "CT", "PT", "MR", "SR"])
SITES = st.sampled_from(["CHEST", "HEAD"])
HELD = (GrantState.PAUSED, GrantState.DORMANT, GrantState.FROZEN, GrantState.NEEDS_SIGN_IN)


class World(RuleBasedStateMachine):
    """One patient's record, one app with one grant. `memo` are answers that were given since anything of it changed.
    `jurisdiction` holds the hospital's rules, and `shelf`, where there is one, is what its archive reads.
    """

    clinic: Clinic
    jurisdiction: Jurisdiction
    shelf: Shelf | None = None

    @initialize(scope=st.sampled_from(SCOPES), terms=TERMS)
    def allow(self, scope: Any, terms: dict[str, Any]) -> None:
        self.wing = first_wing()
        self.something_waits()
        self.listed: dict[Any, Any] = {}
        self.clock.advance(LISTS)
        self.clinic.forget_credentials()
        self.show()
        self.allowed = Allowed(scope, self.wing, self.jurisdiction, self.clock.now, terms)
        self.surface = Surface(self.clinic.app(scope.text, granted="patient/*.rs", **terms))
        self.wing.app = self.surface.app.client_id
        self.memo: dict[Probe, Answer] = {}
        self.reached = self.allowed.view()
        self.renewed = self.clock.now()
        self.over = self.walked = False
        self.ask(CORE)
        self.glance()

    def something_waits(self) -> None:
        """A report of this moment, and a document among the pictures that it was made from."""
        scan = self.wing.scans["1.2.2"]
        series = (*scan.series, Series("1.2.2.3", "SR", "HEAD"))
        self.wing.change(replace(scan, series=series, told=series))
        self.wing.findings["r2"] = replace(self.wing.findings["r2"], issued=self.clock.now())

    @property
    def clock(self) -> ShiftedClock:
        return self.clinic.composed.clock

    def show(self) -> None:
        """An archive's lists are taken as they are for ten minutes where nothing is counted anew."""
        self.wing.show(self.clinic.composed.first)
        if self.shelf is not None:
            self.shelf.put(self.wing.held)
        stale = any(self.listed.setdefault(scan.stamp, scan.series) != scan.series for scan in self.wing.scans.values())
        self.clock.advance(LISTS + 1 if stale else AGE + 1)
        if stale:
            self.listed = {scan.stamp: scan.series for scan in self.wing.scans.values()}

    def renew(self) -> None:
        """The app has another token of its grant."""
        app, parts = self.surface.app, self.clinic.parts
        facts = self.clinic._facts(app.client_id, app.grant_id, self.allowed.scope.text)
        with self.clinic.composed.ground.database.write() as session:
            code = parts.app_tokens.issue_code(session, "st-elsewhere", facts)
        issued = parts.app_tokens.redeem(
            "st-elsewhere", code, client_id=app.client_id, redirect_uri=REDIRECT, verifier=VERIFIER, request_id="req"
        )
        app.token, self.renewed = issued.access_token, self.clock.now()

    def ask(self, probes: Any) -> None:
        """Learns answers, and holds those that are known against what is said now."""
        for probe in probes:
            answer = self.surface.answer(probe)
            assert answer[0] < 500, (probe, answer)
            before = self.memo.setdefault(probe, answer)
            assert before == answer, f"{probe.path} {probe.uids}\n{before}\n{answer}"

    def glance(self) -> None:
        """What was just answered, held against the reference."""
        Glance(self.surface, self.wing, self.allowed, self.memo).check()

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
        """The record changed, and it is later: if what is reached did not, all that was answered is answered again."""
        self.show()
        before, self.reached = self.reached, self.allowed.view()
        self.walked = False
        if self.over:
            return
        if self.clock.now() > self.renewed + TOKEN:
            self.renew()
        if before != self.reached:
            self.memo.clear()
        self.ask([*self.memo, *CORE])
        self.glance()

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

    @rule(
        uid=st.sampled_from(STUDIES),
        what=st.sampled_from(["misfiled", "label", "held", "told", "tagged"]),
        label=st.sampled_from(["R", "L"]),
    )
    def a_study_changes_hands(self, uid: str, what: str, label: str) -> None:
        scan = self.wing.scans.get(uid)
        if scan is None:
            return
        values: dict[str, Any] = {
            "misfiled": not scan.misfiled, "held": not scan.held, "label": "" if scan.label else label,
            "told": None if scan.told else scan.series or None, "tagged": not scan.tagged,
        }  # fmt: skip
        self.wing.change(replace(scan, **{what: values[what]}))
        self.changed()

    @rule(
        id_=st.sampled_from(["r1", "r2", "r4"]), of=st.lists(st.sampled_from(STUDIES), max_size=2, unique=True),
        category=st.sampled_from(["RAD", "LAB"]), words=st.sampled_from(["Nothing.", "Something."]),
        performer=st.sampled_from(["dr", "dr2"]), status=st.sampled_from(["final", "preliminary", "registered"]),
        issued=st.sampled_from([None, 0, 0, 100, 300]), mark=st.sampled_from(["", "", "tag", "label"]),
    )  # fmt: skip
    def a_report_comes(self, id_: str, of: list[str], issued: int | None, **facts: str) -> None:
        """Or one is written anew. `issued`: so many minutes ago."""
        at = None if issued is None else self.clock.now() - timedelta(minutes=issued)
        self.wing.findings[id_] = Finding(id_, tuple(uid for uid in of if uid in self.wing.scans), issued=at, **facts)
        self.changed()

    @rule(id_=st.sampled_from(FINDINGS), mark=st.sampled_from(["", "tag"]))
    def a_report_is_read_anew(self, id_: str, mark: str) -> None:
        """It becomes final, and the doctor has spoken with the patient, or wants to first."""
        if id_ in self.wing.findings:
            self.wing.findings[id_] = replace(self.wing.findings[id_], status="final", mark=mark)
            self.changed()

    @rule(minutes=st.sampled_from([61, 100, 181]))
    def time_passes(self, minutes: int) -> None:
        """What waited is there; what was on file begins or ends."""
        self.clock.advance(60 * minutes)
        self.changed()

    @rule(
        id_=st.sampled_from(["c1", "c2"]), actor=st.sampled_from(["", "me", "another"]),
        type_=st.sampled_from(["", "", "ImagingStudy", "DiagnosticReport"]), rank=st.sampled_from(["", "", "N", "R"]),
        one=st.sampled_from(["", "", *STUDIES[:2], "DiagnosticReport/r1"]),
        excepted=st.sampled_from([False, False, False, True]),
        period=st.sampled_from([(None, None), (None, None), (-9, 90), (45, None), (45, 200)]),
    )  # fmt: skip
    def a_consent_is_filed(self, id_: str, type_: str, period: tuple[int | None, int | None], **facts: Any) -> None:
        """Or another takes its place. `period` in minutes from now."""
        start, end = (None if each is None else self._moment(each) for each in period)
        self.wing.consents[id_] = Denial(type=type_, start=start, end=end, **facts)
        self.changed()

    def _moment(self, minutes: int) -> datetime:
        """A whole second: that is what a Consent says."""
        return (self.clock.now() + timedelta(minutes=minutes)).replace(microsecond=0)

    @precondition(lambda self: self.wing.consents)
    @rule(last=st.booleans())
    def a_consent_is_withdrawn(self, *, last: bool) -> None:
        del self.wing.consents[(max if last else min)(self.wing.consents)]
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
            if name in {"images", "sensitive"}:
                continue  # UIDs are the grant's, and go with it; and the other would widen it
            before = terms.get(name)
            terms[name] = (before & value or before) if isinstance(before, frozenset) else before is not False and value
        self.grant(terms)
        self.allowed = replace(self.allowed, terms=terms)
        same, self.reached = self.allowed.view() == self.reached, self.allowed.view()
        self.walked = False
        self.forget(None if same and "reports" not in narrower else "")

    def grant(self, terms: dict[str, Any]) -> None:
        """The newest version of the grant."""
        with self.clinic.composed.ground.database.write() as session:
            grant = self.clinic.grants.find(session, self.surface.app.grant_id)
            assert grant is not None
            newer = replace(grant, version=grant.version + 1, terms=Terms(parse("patient/*.rs"), **terms))
            self.clinic.grants.put(session, newer, kind="changed", by="patient")

    def forget(self, part: str | None) -> None:
        """Answers about the grant itself change with it; if `part` is given, all are forgotten."""
        for probe in list(self.memo):
            if part is not None or "Consent" in probe.path:
                del self.memo[probe]
        self.ask([*self.memo, *CORE])
        self.glance()

    @precondition(lambda self: not self.over)
    @rule(state=st.sampled_from(list(HELD)), drawn=DRAWN)
    def the_grant_rests_for_a_while(self, state: GrantState, drawn: list[int]) -> None:
        """Nothing is served, nobody is asked; and then all is as it was."""
        self.clinic.set_state(self.surface.app, state)
        self.refused(403, [PROBES[n] for n in drawn])
        self.clinic.set_state(self.surface.app, GrantState.ACTIVE)
        self.forget(None)

    @precondition(lambda self: not self.over)
    @rule(how=st.sampled_from([GrantState.ENDED, GrantState.SUSPENDED, GrantState.EXPIRED]), drawn=DRAWN)
    def it_is_over(self, how: GrantState, drawn: list[int]) -> None:
        """The patient ends it, the operator suspends the app, or the time is over that the patient gave it."""
        if how is GrantState.EXPIRED:
            self.grant({**self.allowed.terms, "expires_at": self.clock.now() + timedelta(minutes=1)})
            self.ask(CORE)
            self.clock.advance(60)
        else:
            self.clinic.set_state(self.surface.app, how)
        self.refused(401, [PROBES[n] for n in drawn])
        self.over = True

    def refused(self, status: int, probes: list[Probe]) -> None:
        """Every answer, and nobody is asked."""
        calls = self.clinic.calls()
        for probe in [*probes, *CORE[:3]]:
            if not probe.path.endswith("/metadata") or "studies" in probe.path:
                assert self.surface.get(probe).status_code == status, probe
        assert self.clinic.calls() == calls
