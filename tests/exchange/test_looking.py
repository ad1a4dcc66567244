"""What people see of their grants; launches; receipts; reminders."""

import json
from datetime import UTC, date, datetime

import pytest

from smartapp.audit.service import AuditTrail
from smartapp.consent.grants.model import Terms
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.grants.calendar import reminder
from smartapp.tokens.apps.model import Issued
from tests.exchange.desk import ALL, Office, some_terms


def looked(office: Office, issued: Issued, study: str | None, extent: str, instances: int, octets: int) -> None:
    """The app was given so much, as the trail has it."""
    app = office.parts.app_tokens.lookup("st-elsewhere", issued.access_token)
    trail: AuditTrail = office.composed.ground.audit
    opened = trail.open_disclosure(
        app, app.patient, study, extent=extent, authority="app", action="read", purpose="PATRQT", request_id="r"
    )
    trail.count(opened, instances=instances, bytes=octets)


@pytest.mark.promise("B4")
@pytest.mark.promise("E1")
def test_what_an_app_did_see_is_told_study_by_study(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    looked(office, issued, None, "summary", 0, 100)
    looked(office, issued, "1.2.3", "report", 0, 50)
    looked(office, issued, "1.2.3", "images", 3, 7000)
    looked(office, issued, "9.9.9", "images", 1, 10)  # the record lists it no more
    view = office.grants.view(ana, office.the_grant(ana).id)
    known = [used for used in view.used if used.study is not None]
    assert [(used.study.uid if used.study else "", used.extent, used.images, used.bytes) for used in known] == [
        ("1.2.3", "images", 3, 7050)
    ]
    assert [(used.images, used.bytes) for used in view.used if used.study is None] == [(1, 10)]
    assert view.looked_at_list is not None
    assert (view.totals.images, view.totals.bytes) == (4, 7160)
    [listed] = office.grants.list(ana)
    assert (listed.totals, listed.used != ()) == (view.totals, True)


def test_what_others_were_given_is_not_counted(office: Office) -> None:
    _, ana = office.someone()
    office.parts.records.studies(ana, "r")
    office.approve(ana)
    [view] = office.grants.list(ana)
    assert (view.totals.bytes, view.totals.last_at, view.used) == (0, None, ())


def test_a_list_asks_nothing_of_the_hospital(office: Office) -> None:
    _, ana = office.someone()
    office.approve(ana)
    before = office.composed.calls()
    assert len(office.grants.list(ana)) == 1
    assert office.composed.calls() == before


def test_a_preview_tells_what_terms_reach_today(office: Office) -> None:
    _, ana = office.someone()
    everything = office.grants.preview(ana, some_terms(), client_id="app-1")
    assert [study.uid for study in everything.studies] == ["1.2.3"]
    assert everything.reports == 1
    assert office.grants.preview(ana, some_terms(reports=False), client_id="app-1").reports == 0
    assert office.grants.preview(ana, some_terms(future=False), client_id="app-1").studies == everything.studies
    assert office.grants.preview(ana, some_terms(modalities=frozenset({"XA"})), client_id="app-1").studies == ()
    before = office.composed.calls()
    office.grants.preview(ana, some_terms(), client_id="app-1")
    assert office.composed.calls() == before  # from the index


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        (some_terms(), False),
        (some_terms(started_from=date(2024, 1, 1), reports=False), False),
        (some_terms(modalities=frozenset({"CT"})), True),
        (some_terms(body_sites=frozenset({"CHEST"})), True),
        (some_terms("patient/ImagingStudy.rs?modality=CT"), True),
    ],
)
def test_the_archive_is_asked_for_series_only_where_kinds_decide(office: Office, terms: Terms, *, wanted: bool) -> None:
    """A request for each study: who has hundreds waits for that only where it matters."""
    _, ana = office.someone()
    office.parts.records.known(ana, "")
    archive = office.composed.first.archive
    before = len(archive.asked)
    office.grants.preview(ana, terms, client_id="app-1")
    asked = [each.path for each in archive.asked[before:]]
    assert asked == (["/dicom-web/studies/1.2.3/series"] if wanted else [])


class TestLaunches:
    def test_a_launch_counts_once_and_for_its_app(self, any_office: Office) -> None:
        office = any_office
        _, ana = office.someone()
        value = office.grants.launch_value(ana, office.app, "1.2.3")
        launch = office.grants.take_launch(value, office.app.client_id)
        assert launch is not None
        assert launch.patient == ana.patient
        assert launch.fhir_context[0].startswith("ImagingStudy/")
        assert office.grants.take_launch(value, office.app.client_id) is None
        value = office.grants.launch_value(ana, office.app)
        assert office.grants.take_launch(value, "app-other") is None
        assert office.grants.take_launch(value, office.app.client_id) is None

    def test_a_launch_is_answered_for_its_person_only_and_keeps_the_study(self, office: Office) -> None:
        _, ana = office.someone()
        launch = office.grants.take_launch(office.grants.launch_value(ana, office.app, "1.2.3"), office.app.client_id)
        assert launch is not None
        facts = {"launch": launch.bound, "fhir_context": launch.fhir_context, "scope": f"launch {ALL}"}
        _, ben = office.someone("ben")
        with pytest.raises(BadInput, match=r"launch\.other"):
            office.approve(ben, office.ask(**facts))
        issued = office.redeem(office.approve(ana, office.ask(**facts)))
        assert issued.family is not None
        assert issued.family.fhir_context == launch.fhir_context

    def test_a_launch_is_over_after_five_minutes_and_not_made_for_what_is_not_there(self, office: Office) -> None:
        _, ana = office.someone()
        value = office.grants.launch_value(ana, office.app)
        office.composed.clock.advance(301)
        assert office.grants.take_launch(value, office.app.client_id) is None
        for app, study in ((office.app, "1.8"), (office.register("No launch", launch_uri=""), None)):
            with pytest.raises(NotFound):
                office.grants.launch_value(ana, app, study)


@pytest.mark.promise("B4")
def test_a_receipt_says_what_was_allowed_to_whom_until_when(office: Office) -> None:
    _, ana = office.someone()
    until = datetime(2100, 1, 2, tzinfo=UTC)
    office.approve(ana, chosen=frozenset({"1.2.3"}), expires_at=until, images="none")
    grant = office.the_grant(ana)
    for language in ("en", "es"):
        receipt = office.grants.receipt(ana, grant.id, language=language)
        assert receipt.pdf.startswith(b"%PDF-")
    said = json.loads(receipt.json)
    assert said["grant"]["client"]["name"] == "Canary Heart App"
    assert (said["grant"]["studies"], said["grant"]["images"]) == (["1.2.3"], "none")
    assert said["grant"]["expires"] == "2100-01-02T00:00:00Z"
    assert b"Canaryvera" not in receipt.json
    assert b"One nodule" not in receipt.json


@pytest.mark.promise("B7")
@pytest.mark.clause("RFC 5545", "3.1")
def test_a_reminder_is_a_calendar_of_short_lines_without_health() -> None:
    at = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
    made = datetime(2026, 3, 1, tzinfo=UTC)
    words = "Repaso: “apps”, acceso; ¿todavía? \\ " * 8
    body = reminder("grt-1@smartapp", at, made, "Look\nEND:VCALENDAR", words, "https://images.example.org/my/apps")
    lines = body.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    unfolded = body.decode().replace("\r\n ", "").split("\r\n")
    assert unfolded.count("END:VCALENDAR") == 1
    assert "DTSTART:20270301T093000Z" in unfolded
    assert "SUMMARY:Look\\nEND:VCALENDAR" in unfolded
    [description] = [line for line in unfolded if line.startswith("DESCRIPTION:Repaso")]
    plain = description.removeprefix("DESCRIPTION:").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
    assert plain == words


def test_a_sign_in_gives_back_what_waited_for_it_and_asks_for_what_lasts(office: Office) -> None:
    browser, ana = office.someone()
    handle = office.ask()
    office.parts.approvals.bind(handle, ana.session_id)
    sign_in = office.parts.sign_in
    begun = sign_in.start_standalone("st-elsewhere", None, request_id="", after=handle, lasting=True)
    assert handle not in begun.authorize_url
    assert "offline_access" in begun.authorize_url
    from smartapp.exchange.sign_in import Browser

    params = office.composed.first.consent(begun.authorize_url, "ana")
    opened = sign_in.finish(params, Browser(begun.browser_secret, browser.cookie(), "test"), request_id="")
    assert opened.after == handle
    office.parts.approvals.bind(handle, opened.session_id)  # it went over to the new session
    with pytest.raises(BadInput, match=r"consent\.tamper"):
        office.parts.approvals.bind(handle, ana.session_id)
