"""What patients allowed reaches the EHR, or waits there where everybody can see it; and nothing else depends on it."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from werkzeug.test import TestResponse

from smartapp.bootstrap import apps_desk
from smartapp.exchange.grants import store
from tests.exchange.conftest import any_office, office  # noqa: F401 -- fixtures
from tests.exchange.desk import ConsentShelf, Office
from tests.launch.server import Asked, Said
from tests.threats.composed import BASE

pytestmark = pytest.mark.promise("B5")


def reads(office: Office, token: str) -> TestResponse:  # noqa: F811 -- the fixture's name
    client = office.composed.house.app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/st-elsewhere/fhir/ImagingStudy", base_url=BASE, headers=headers)


def waiting(office: Office, person_id: str) -> list[str]:  # noqa: F811
    with office.composed.ground.database.read() as session:
        return list(store.waiting(session, person_id))


def asked_of(office: Office) -> int:  # noqa: F811
    log = office.composed.first.ehr.server.log
    return sum(each.path.startswith("/fhir/Consent") and "status" not in each.query for each in log)  # for writing


def test_an_ehr_that_refuses_is_asked_again_at_the_next_sign_in_and_harms_nothing(
    any_office: Office,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = any_office  # noqa: F811
    shelf = ConsentShelf(office, refusing=True)
    _, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    office.work()
    assert reads(office, issued.access_token).status_code == 200
    assert waiting(office, ana.person_id) == [office.the_grant(ana).id]
    [said] = [record.getMessage() for record in caplog.records if "consent" in record.getMessage()]
    assert said == "a consent waits for its person's next sign-in: st-elsewhere refuses it (upstream-forbidden)"
    asked = asked_of(office)
    office.composed.clock.advance(86400)
    office.work()
    assert asked_of(office) == asked
    office.someone()
    office.work()
    assert shelf.kept == {}
    shelf.refusing = False
    _, ana = office.someone()
    office.work()
    assert shelf.kept["c1"]["status"] == "active"
    assert waiting(office, ana.person_id) == []


def test_what_ended_while_it_was_refused_is_written_as_ended(office: Office) -> None:  # noqa: F811
    shelf = ConsentShelf(office, refusing=True)
    _, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    office.work()
    office.grants.end(ana, office.the_grant(ana).id)
    assert reads(office, issued.access_token).status_code == 401
    shelf.refusing = False
    office.someone()
    office.work()
    assert shelf.kept["c1"]["status"] == "inactive"


@pytest.mark.threat("O32")
def test_what_the_operator_decides_over_an_app_is_told_to_the_hospital(any_office: Office) -> None:  # noqa: F811
    office = any_office  # noqa: F811
    shelf = ConsentShelf(office)
    _, ana = office.someone()
    office.approve(ana)
    office.work()
    client_id = office.the_grant(ana).client_id
    for action, said, status in (
        ("suspend", {"ground": "fraud", "reason": "it is another's"}, "inactive"),
        ("reinstate", {}, "active"),
        ("suspend", {"ground": "security", "reason": "it leaks tokens"}, "inactive"),
    ):
        arguments = argparse.Namespace(action=action, client_id=client_id, **said)
        assert list(apps_desk.lines(arguments, office.composed.ground))
        office.work()
        assert (list(shelf.kept), shelf.kept["c1"]["status"]) == (["c1"], status), action


def test_somebody_who_writes_meanwhile_is_not_overwritten_unread(office: Office) -> None:  # noqa: F811
    shelf = ConsentShelf(office)
    _, ana = office.someone()
    office.approve(ana)
    office.work()
    office.grants.end(ana, office.the_grant(ana).id)
    one, server = shelf._one, office.composed.first.ehr.server

    def late(asked: Asked) -> Said:
        shelf.kept["c1"]["meta"] = {"versionId": "7"}
        server.at("/fhir/Consent/c1", one)
        return one(asked)

    server.at("/fhir/Consent/c1", late)
    office.work()
    assert (shelf.kept["c1"]["status"], shelf.kept["c1"]["meta"]["versionId"]) == ("active", "7")
    office.composed.clock.advance(60)
    office.work()
    assert (shelf.kept["c1"]["status"], shelf.kept["c1"]["meta"]["versionId"]) == ("inactive", "8")


def test_another_patients_consent_is_never_written_over(
    office: Office,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though the EHR gives it as the one that was asked for."""
    shelf = ConsentShelf(office)
    _, ana = office.someone()
    office.approve(ana)
    other: dict[str, Any] = {"resourceType": "Consent", "id": "c9", "patient": {"reference": "Patient/ben"}}
    monkeypatch.setattr(shelf, "_found", lambda _wanted: [{"resource": other}])
    office.work()
    assert shelf.writes == 0
    assert asked_of(office) == 1
