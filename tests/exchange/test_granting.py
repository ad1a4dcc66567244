"""A person answers an app."""

import json
from dataclasses import replace
from typing import Any

import pytest

from smartapp.consent.grants.model import GrantState
from smartapp.consent.scopes.grammar import text
from smartapp.errors import BadInput, DatabaseBusy, NotFound
from smartapp.exchange.grants.model import TermsRefused
from smartapp.identity.apps.model import AppState
from tests.exchange.desk import ALL, REDIRECT, Office, query, some_terms


@pytest.mark.promise("B2")
def test_a_yes_is_a_grant_a_consent_to_write_a_letter_and_a_code(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    office.with_mail(ana)
    before = office.composed.calls()
    url = office.grants.approve(
        ana, office.ask(), some_terms(images="none", reports=False), session_id=ana.session_id, request_id="req-1"
    )
    assert url.startswith(f"{REDIRECT}&code=")
    assert query(url) == {
        "keep": "1",
        "code": query(url)["code"],
        "state": "st&ate",
        "iss": "https://images.example.org/st-elsewhere",
    }
    grant = office.the_grant(ana)
    assert (grant.version, grant.state, grant.session_id) == (1, GrantState.ACTIVE, None)
    assert grant.credential_id == ana.credential_id
    assert (grant.terms.images, grant.terms.reports) == ("none", False)
    assert grant.fhir_user == "Patient/ana"
    issued = office.redeem(query(url)["code"])
    assert issued.refresh_token is not None
    assert office.composed.kinds().count("grant.approved") == 1
    assert office.rows("consent_writes") == 1
    [letter] = office.letters()
    assert "Canary" not in json.dumps(letter)
    assert office.composed.calls() > before  # the list of studies was asked, once


@pytest.mark.threat("O22")
def test_a_grant_holds_what_was_asked_offered_and_ticked_and_nothing_else(office: Office) -> None:
    _, ana = office.someone()
    handle = office.ask(scope="openid offline_access patient/ImagingStudy.rs")
    ticked = "openid offline_access fhirUser patient/ImagingStudy.cruds patient/DiagnosticReport.rs user/*.rs"
    office.approve(ana, handle, scope=ticked)
    assert text(office.the_grant(ana).terms.scopes) == "openid offline_access patient/ImagingStudy.rs"


@pytest.mark.threat("O22")
def test_a_request_is_answered_once_and_in_the_session_that_it_was_shown_in(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    _, ben = office.someone("ben")
    handle = office.ask()
    office.parts.approvals.bind(handle, ana.session_id)
    with pytest.raises(BadInput, match=r"consent\.tamper"):
        office.approve(ben, handle)
    assert office.rows("grants") == 0
    office.approve(ana, handle)
    with pytest.raises((BadInput, NotFound)):
        office.approve(ana, handle)
    with pytest.raises((BadInput, NotFound)):
        office.grants.refuse(ana, handle, session_id=ana.session_id, request_id="")
    assert office.rows("grants") == 1
    assert office.the_grant(ana).version == 1
    assert office.composed.kinds().count("consent.tamper") >= 1


@pytest.mark.threat("O22")
def test_a_second_answer_that_was_under_way_is_written_down(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ana = office.someone()
    handle = office.ask()
    known = office.parts.records.known

    def slow(*args: Any) -> Any:
        monkeypatch.setattr(office.parts.records, "known", known)
        office.approve(ana, handle)
        return known(*args)

    monkeypatch.setattr(office.parts.records, "known", slow)
    with pytest.raises(BadInput, match=r"consent\.tamper"):
        office.approve(ana, handle)
    assert office.the_grant(ana).version == 1
    assert "consent.tamper" in office.composed.kinds()


def test_a_request_is_good_for_half_an_hour(office: Office) -> None:
    handle = office.ask()
    office.composed.clock.advance(29 * 60)
    assert office.parts.approvals.open(handle).client_id == office.app.client_id
    office.composed.clock.advance(61)
    with pytest.raises(NotFound):
        office.parts.approvals.open(handle)
    with pytest.raises(NotFound):
        office.parts.approvals.open("sar_nobody")


def test_a_no_is_told_and_grants_nothing(office: Office) -> None:
    _, ana = office.someone()
    url = office.grants.refuse(ana, office.ask(), session_id=ana.session_id, request_id="")
    assert query(url)["error"] == "access_denied"
    assert "code" not in query(url)
    assert office.grants.list(ana) == ()
    assert "grant.refused" in office.composed.kinds()


@pytest.mark.threat("F16")
@pytest.mark.parametrize(
    "step",
    ["grants.put", "owing.owe", "alerts.tell", "tokens.issue_code", "audit.record", "approvals.take"],
)
def test_a_crash_at_any_step_leaves_nothing(any_office: Office, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office = any_office
    _, ana = office.someone()
    office.parts.records.known(ana, "")  # so that the trail is needed for the grant alone
    handle = office.ask()
    part, method = step.split(".")
    target = getattr(office.desk, part)
    working = getattr(target, method)

    def breaks(*args: Any, **kwargs: Any) -> Any:
        if step != "audit.record" or kwargs.get("session") is not None:
            if step != "audit.record":
                working(*args, **kwargs)
            raise DatabaseBusy
        return working(*args, **kwargs)

    monkeypatch.setattr(target, method, breaks)
    with pytest.raises(DatabaseBusy):
        office.approve(ana, handle)
    monkeypatch.undo()
    assert {table: office.rows(table) for table in ("grants", "grant_events", "consent_writes", "app_codes")} == {
        "grants": 0,
        "grant_events": 0,
        "consent_writes": 0,
        "app_codes": 0,
    }
    assert office.letters() == []
    office.redeem(office.approve(ana, handle))  # the request still waits


def test_a_second_yes_is_a_new_version_of_the_same_grant(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    office.approve(ana)
    first = office.the_grant(ana)
    office.grants.pause(ana, first.id)
    office.approve(ana, images="none")
    second = office.the_grant(ana)
    assert (second.id, second.version, second.state) == (first.id, 2, GrantState.ACTIVE)
    assert second.terms.images == "none"


def test_only_an_active_app_at_this_hospital_is_let_in(office: Office) -> None:
    browser, ana = office.someone()
    pending = office.register("Not looked at", AppState.PENDING)
    for handle in (office.ask(client_id=pending.client_id), office.ask(provider="mercy")):
        before = office.composed.calls()
        with pytest.raises(NotFound):
            office.approve(ana, handle)
        assert office.composed.calls() == before
    assert browser.ctx
    assert office.rows("grants") == 0


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"scope": "user/*.rs"}, "grant.nothing"),
        ({"chosen": frozenset()}, "grant.studies"),
        ({"chosen": frozenset({"1.8"})}, "grant.studies"),
        ({"future": False, "modalities": frozenset({"XA"})}, "grant.nothing-now"),
        ({"purpose": "MARKETING"}, "grant.purpose"),
        ({"images": "all"}, "grant.images"),
    ],
)
def test_what_cannot_be_granted_is_told_and_the_request_waits(office: Office, terms: Any, code: str) -> None:
    _, ana = office.someone()
    handle = office.ask()
    with pytest.raises(TermsRefused, match=code.replace(".", r"\.")):
        office.approve(ana, handle, **terms)
    assert office.rows("grants") == 0
    office.approve(ana, handle)


def test_without_future_studies_those_of_today_are_written_down(office: Office) -> None:
    _, ana = office.someone()
    office.approve(ana, future=False)
    terms = office.the_grant(ana).terms
    assert (terms.chosen, terms.future) == (frozenset({"1.2.3"}), False)


@pytest.mark.threat("A30")
def test_a_representatives_grant_ends_with_their_right(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ana = office.someone()
    ends = office.composed.clock.now().replace(microsecond=0)
    ends = ends.replace(year=ends.year + 1)
    context = office.parts.identity.context
    monkeypatch.setattr(office.parts.identity, "context", lambda *args: replace(context(*args), expires_at=ends))
    office.approve(ana)
    assert office.the_grant(ana).expires_at == ends


class TestWayToTheEhr:
    """Decision 2."""

    def without_a_refresh_token(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(office.parts.sign_in._keeper, "lasting", lambda *_: False)

    def test_a_grant_outlives_the_session_with_its_credential(self, office: Office) -> None:
        browser, ana = office.someone()
        issued = office.redeem(office.approve(ana))
        session = office.parts.identity.lookup(browser.cookie())
        assert session is not None
        office.parts.sign_in.sign_out(session, request_id="")
        principal = office.parts.app_tokens.lookup("st-elsewhere", issued.access_token)
        assert principal.credential_id == ana.credential_id
        assert office.desk.keeper.lasting(ana.credential_id, ana.patient)
        assert "/revoke" not in [each.path for each in office.composed.first.ehr.server.log]

    def test_without_one_it_ends_with_the_session_and_says_so(
        self, any_office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office = any_office
        browser, ana = office.someone()
        self.without_a_refresh_token(office, monkeypatch)
        handle = office.ask()
        asked = office.parts.approvals.open(handle)
        assert office.grants.offer(ana, asked).needs_lasting
        office.parts.approvals.bind(handle, ana.session_id)
        office.parts.approvals.note_offline_tried(handle, ana.session_id)
        offer = office.grants.offer(ana, office.parts.approvals.open(handle))
        assert (offer.needs_lasting, offer.works_offline) == (False, False)
        issued = office.redeem(office.approve(ana, handle))
        assert "offline_access" not in issued.scope.split()
        session = office.parts.identity.lookup(browser.cookie())
        assert session is not None
        office.parts.sign_in.sign_out(session, request_id="")
        _, later = office.someone()
        assert office.the_grant(later).state is GrantState.ENDED

    def test_the_last_holder_gives_the_credential_back(self, office: Office) -> None:
        browser, ana = office.someone()
        office.approve(ana)
        grant = office.the_grant(ana)
        session = office.parts.identity.lookup(browser.cookie())
        assert session is not None
        office.grants.end(ana, grant.id)
        assert office.desk.keeper.lasting(ana.credential_id, ana.patient)  # the session goes on
        office.parts.sign_in.sign_out(session, request_id="")
        assert office.desk.keeper.lasting(ana.credential_id, ana.patient)  # its Consent is still to be written


def test_scopes_without_a_refresh_are_bound_to_nothing(office: Office) -> None:
    _, ana = office.someone()
    office.approve(ana, office.ask(scope=ALL.replace("offline_access ", "")))
    assert office.the_grant(ana).session_id is None
