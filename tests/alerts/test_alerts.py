"""Alerts on sign-ins, and the address they go to."""

import re

import pytest
from sqlalchemy import text

from smartapp.settings import Mail
from tests.alerts.conftest import Site, code_in, text_of
from tests.mail.post_office import PostOffice, post_office
from tests.support.databases import SqliteFiles
from tests.threats.composed import composed


@pytest.mark.promise("E3")
@pytest.mark.promise("A7")
def test_a_new_sign_in_is_told_and_says_nothing_about_health(site: Site, office: PostOffice) -> None:
    site.with_alerts(office)
    site.signed_in()
    (letter,) = site.letters(office)
    assert office.recipients[-1] == "ana@example.org"
    assert letter["Subject"] == "A new sign-in to your account"
    said = text_of(letter)
    assert "St-Elsewhere" in said
    assert re.search(r"on \d{1,2} \w+ 20\d\d, \d\d:\d\d", said)
    assert "If it was not you" in said
    assert "https://images.example.org" in said
    del letter["Message-ID"]  # random letters, in which anything may be read
    whole = (letter.as_string() + said).replace("ana@example.org", "")
    for telling in ("Ana", "Rivera", "CT", "chest", "scan", "report", "radiolog", "imaging", "patient", "study", "MRN"):
        assert not re.search(rf"\b{telling}", whole, re.IGNORECASE), telling


@pytest.mark.promise("A7")
def test_an_address_counts_when_its_code_was_typed_and_not_before(site: Site, office: PostOffice) -> None:
    browser = site.signed_in()
    asked = browser.post(f"/my/{browser.ctx}/alerts/address", address="ana@example.org")
    assert asked.status_code == 200
    site.work()
    site.signed_in()
    assert site.letters(office) == []
    assert "ana@example.org" not in browser.my("alerts/").text
    said = browser.post(f"/my/{browser.ctx}/alerts/confirm", code=f" {code_in(office.letters[0]).lower()} ")
    assert "<strong>ana@example.org</strong>" in said.text


@pytest.mark.threat("W16")
def test_a_code_works_once_for_its_person_and_for_half_an_hour(site: Site, office: PostOffice) -> None:
    ana = site.signed_in()
    ana.post(f"/my/{ana.ctx}/alerts/address", address="ana@example.org")
    code = code_in(site.letters(office)[0])
    ben = site.signed_in("ben")
    assert ben.post(f"/my/{ben.ctx}/alerts/confirm", code=code).status_code == 400
    assert ana.post(f"/my/{ana.ctx}/alerts/confirm", code=code).status_code == 200
    assert ana.post(f"/my/{ana.ctx}/alerts/confirm", code=code).status_code == 400
    ana.post(f"/my/{ana.ctx}/alerts/address", address="late@example.org")
    late = code_in(site.letters(office)[0])
    for _ in range(3):
        site.composed.clock.advance(10 * 60)
        ana.my("alerts/")
    refused = ana.post(f"/my/{ana.ctx}/alerts/confirm", code=late)
    assert refused.status_code == 400
    assert "late@example.org" not in refused.text


@pytest.mark.promise("A7")
def test_a_change_is_told_to_the_address_of_before(site: Site, office: PostOffice) -> None:
    browser = site.with_alerts(office, "old@example.org")
    browser.post(f"/my/{browser.ctx}/alerts/address", address="new@example.org")
    code = code_in(site.letters(office)[0])
    assert office.recipients[-1] == "new@example.org"
    browser.post(f"/my/{browser.ctx}/alerts/confirm", code=code)
    (told,) = site.letters(office)
    assert (office.recipients[-1], told["Subject"]) == ("old@example.org", "Your alerts go to another address")
    assert "new@example.org" not in text_of(told)
    site.signed_in()
    site.work()
    assert office.recipients[-1] == "new@example.org"


@pytest.mark.promise("A7")
def test_alerts_can_be_turned_off(site: Site, office: PostOffice) -> None:
    browser = site.with_alerts(office)
    assert "ana@example.org" not in browser.post(f"/my/{browser.ctx}/alerts/remove").text
    assert [letter["Subject"] for letter in site.letters(office)] == ["Your alerts were turned off"]
    site.signed_in()
    assert site.letters(office) == []
    assert {"alerts.asked", "alerts.changed", "alerts.removed"} <= set(site.composed.kinds())


@pytest.mark.threat("F31")
def test_a_mail_server_that_is_away_holds_no_sign_in_up(site: Site) -> None:
    with post_office(site.mail.smtp_port) as office:
        site.with_alerts(office)
    assert site.signed_in().my().status_code == 200
    assert site.work() == 1
    assert site.signed_in().my().status_code == 200
    site.composed.clock.advance(3600)
    with post_office(site.mail.smtp_port) as office:
        assert len(site.letters(office)) == 2
        assert site.letters(office) == []


@pytest.mark.threat("F31")
def test_an_address_that_cannot_be_read_any_more_costs_no_sign_in(site: Site, office: PostOffice) -> None:
    site.with_alerts(office)
    with site.composed.ground.database.write() as session:
        session.execute(text("UPDATE contacts SET sealed = :noise"), {"noise": b"noise"})
    assert site.signed_in().my().status_code == 200


@pytest.mark.threat("W14")
def test_the_answer_is_the_same_whatever_the_address(site: Site, office: PostOffice) -> None:
    site.with_alerts(office)
    ben = site.signed_in("ben")
    answers = [ben.post(f"/my/{ben.ctx}/alerts/address", address=each) for each in ("ana@example.org", "x@example.org")]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize(
    "address",
    ["", "ana", "ana@example", "a b@example.org", "ana@example.org\nBcc: x@y.example", "<ana@example.org>",
     "ana@example.org, eve@example.org", "a" * 65 + "@example.org", "ana@" + "a." * 200 + "org"],
)  # fmt: skip
def test_what_is_no_address_is_said_and_nothing_is_sent(site: Site, office: PostOffice, address: str) -> None:
    browser = site.signed_in()
    answer = browser.post(f"/my/{browser.ctx}/alerts/address", address=address)
    assert answer.status_code == 400
    assert "name@example.org" in answer.text
    assert site.letters(office) == []


def test_our_mail_is_nobodys_nuisance(site: Site, office: PostOffice) -> None:
    browser = site.signed_in()
    answers = [browser.post(f"/my/{browser.ctx}/alerts/address", address="eve@example.org") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert len(site.letters(office)) == 5
    for _ in range(6):
        site.composed.clock.advance(10 * 60)
        browser.my("alerts/")
    assert browser.post(f"/my/{browser.ctx}/alerts/address", address="eve@example.org").status_code == 200


def test_addresses_are_kept_sealed(site: Site, office: PostOffice) -> None:
    site.with_alerts(office)
    site.signed_in()
    with site.composed.ground.database.read() as session:
        kept = [
            bytes(value)
            for query in ("SELECT sealed FROM contacts", "SELECT sealed FROM outbox")
            for value in session.scalars(text(query))
        ]
    assert len(kept) == 2
    assert not any(b"ana@" in value for value in kept)


def test_without_a_mail_server_the_page_says_so(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with composed(sqlite_files, tmp_path_factory.mktemp("none"), mail=Mail()) as running:
        browser = running.signed_in()
        assert "Alerts are not available" in browser.my("alerts/").text
        assert browser.post(f"/my/{browser.ctx}/alerts/address", address="a@b.example").status_code == 404
        assert browser.post(f"/my/{browser.ctx}/alerts/remove").status_code == 200
