"""A grant after its first day: each operation in each state, and what time and sessions do to it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from smartapp.consent.grants.model import GrantState
from smartapp.errors import AccessDenied, BadInput, GrantHeld, NotFound, NotSignedIn
from smartapp.exchange.grants.model import TermsRefused
from smartapp.identity.model import Principal
from tests.exchange.desk import ALL, ConsentShelf, Office, some_terms

S = GrantState
_MOVES: dict[str, dict[GrantState, GrantState | type[Exception]]] = {
    "pause": {
        S.ACTIVE: S.PAUSED,
        S.PAUSED: S.PAUSED,
        S.DORMANT: S.PAUSED,
        S.NEEDS_SIGN_IN: S.PAUSED,
        S.FROZEN: S.FROZEN,
        S.ENDED: BadInput,
        S.EXPIRED: BadInput,
    },
    "resume": {
        S.ACTIVE: S.ACTIVE,
        S.PAUSED: S.ACTIVE,
        S.DORMANT: S.DORMANT,
        S.NEEDS_SIGN_IN: S.NEEDS_SIGN_IN,
        S.FROZEN: S.FROZEN,
        S.ENDED: BadInput,
        S.EXPIRED: BadInput,
    },
    "wake": {
        S.ACTIVE: S.ACTIVE,
        S.PAUSED: S.PAUSED,
        S.DORMANT: S.ACTIVE,
        S.NEEDS_SIGN_IN: S.NEEDS_SIGN_IN,
        S.FROZEN: S.FROZEN,
        S.ENDED: BadInput,
        S.EXPIRED: BadInput,
    },
    "end": {**dict.fromkeys(set(S) - {S.EXPIRED, S.SUSPENDED}, S.ENDED), S.EXPIRED: S.EXPIRED},
}
_TABLE = [(name, state, after) for name, row in _MOVES.items() for state, after in sorted(row.items())]


@pytest.mark.parametrize(("operation", "state", "after"), _TABLE)
def test_each_operation_in_each_state(
    office: Office, operation: str, state: GrantState, after: GrantState | type[Exception]
) -> None:
    _, ana = office.someone()
    office.approve(ana)
    grant = office.the_grant(ana)
    if state is not S.ACTIVE:
        with office.composed.ground.database.write() as session:
            office.desk.grants.set_state(session, grant.id, state, kind=state.value, by="us")
    do: Callable[..., None] = getattr(office.grants, operation)
    for _ in range(2):  # twice is once
        if isinstance(after, GrantState):
            do(ana, grant.id)
        else:
            with pytest.raises(after):
                do(ana, grant.id)
    assert office.the_grant(ana).state is (after if isinstance(after, GrantState) else state)
    events = [event.kind for event in office.grants.list(ana)[0].history]
    assert len(events) == 1 + (state is not S.ACTIVE) + (isinstance(after, GrantState) and after is not state)


@pytest.mark.threat("A20")
def test_ending_holds_from_that_moment(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    office.with_mail(ana)
    issued = office.redeem(office.approve(ana))
    office.letters()
    token = issued.access_token
    assert office.parts.app_tokens.lookup("st-elsewhere", token).grant_id
    grant = office.the_grant(ana)
    office.grants.pause(ana, grant.id)
    with pytest.raises(GrantHeld):
        office.parts.app_tokens.lookup("st-elsewhere", token)
    office.grants.resume(ana, grant.id)
    assert office.parts.app_tokens.lookup("st-elsewhere", token).grant_id
    office.grants.end(ana, grant.id)
    with pytest.raises(NotSignedIn):
        office.parts.app_tokens.lookup("st-elsewhere", token)
    [letter] = office.letters()
    assert "Canary" not in json.dumps(letter)
    assert "grant.ended" in office.composed.kinds()


def test_nobody_else_reaches_a_grant(office: Office) -> None:
    _, ana = office.someone()
    _, ben = office.someone("ben")
    office.approve(ana)
    grant = office.the_grant(ana)
    assert office.grants.list(ben) == ()
    doings: tuple[Callable[[Principal, str], object], ...] = (
        office.grants.view,
        office.grants.pause,
        office.grants.resume,
        office.grants.wake,
        office.grants.end,
        office.grants.receipt,
        lambda who, which: office.grants.change(who, which, some_terms()),
    )
    for do in doings:
        with pytest.raises(NotFound):
            do(ben, grant.id)
        with pytest.raises(NotFound):
            do(ana, "grt-nobody")
    assert office.the_grant(ana) == grant


def test_who_did_not_grant_it_may_hold_and_end_it_but_not_let_it_go_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    _, ana = office.someone()
    office.approve(ana)
    grant = office.the_grant(ana)
    mother = replace(ana, person_id="per-mother")
    assert not office.grants.list(mother)[0].mine
    office.grants.pause(mother, grant.id)
    with pytest.raises(AccessDenied):
        office.grants.resume(mother, grant.id)
    assert office.the_grant(ana).state is S.PAUSED
    office.grants.end(mother, grant.id)
    assert office.the_grant(ana).state is S.ENDED


def test_a_change_narrows_and_is_a_new_version(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    before = office.parts.app_tokens.lookup("st-elsewhere", issued.access_token)
    grant = office.the_grant(ana)
    office.grants.change(ana, grant.id, some_terms(images="none"))
    changed = office.the_grant(ana)
    assert (changed.version, changed.terms.images) == (2, "none")
    after = office.parts.app_tokens.lookup("st-elsewhere", issued.access_token)
    assert (before.terms.images, after.terms.images) == ("full", "none")
    for wider in ({"images": "full"}, {"scope": ALL + " user/*.rs", "images": "full"}, {"purpose": "TREAT"}):
        with pytest.raises(TermsRefused, match=r"grant\.widens"):
            office.grants.change(ana, grant.id, some_terms(**{"images": "none", **wider}))
    office.grants.change(ana, grant.id, some_terms(images="none"))  # the same again is nothing
    assert office.the_grant(ana).version == 2


def test_pictures_without_a_name_that_are_taken_away_leave_it_hidden(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    office.redeem(office.approve(ana))
    grant = office.the_grant(ana)
    for images in ("deidentified", "none", "none"):
        office.grants.change(ana, grant.id, some_terms(images=images))
    changed = office.the_grant(ana)
    assert (changed.version, changed.terms.images, changed.terms.hides_identity) == (3, "none", True)


def test_signing_out_ends_what_is_online_and_nothing_else(any_office: Office) -> None:
    office = any_office
    browser, ana = office.someone()
    offline = office.redeem(office.approve(ana)).access_token
    other = office.register("Another")
    office.app, first = other, office.app
    online_scope = ALL.replace("offline_access", "online_access")
    office.parts.apps.update(other, type(other.metadata)(**{**vars(other.metadata), "scope": online_scope}))
    handle = office.ask(scope=online_scope)
    online = office.redeem(office.approve(ana, handle, scope=online_scope)).access_token
    office.app = first
    session = office.parts.identity.lookup(browser.cookie())
    assert session is not None
    office.parts.sign_in.sign_out(session, request_id="")
    assert office.parts.app_tokens.lookup("st-elsewhere", offline).grant_id
    with pytest.raises(NotSignedIn):
        office.parts.app_tokens.lookup("st-elsewhere", online)
    _, again = office.someone()
    assert {view.app.metadata.client_name: view.state for view in office.grants.list(again) if view.app} == {
        "Canary Heart App": S.ACTIVE,
        "Another": S.ENDED,
    }


def test_a_dead_way_to_the_ehr_waits_for_a_sign_in(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    office.with_mail(ana)
    token = office.redeem(office.approve(ana)).access_token
    office.letters()
    grant = office.the_grant(ana)
    for _ in range(2):
        office.grants.needs_sign_in(grant.id)
    assert office.the_grant(ana).state is S.NEEDS_SIGN_IN
    assert len(office.letters()) == 1
    with pytest.raises(GrantHeld):
        office.parts.app_tokens.lookup("st-elsewhere", token)
    _, again = office.someone()
    back = office.the_grant(again)
    assert (back.state, back.credential_id) == (S.ACTIVE, again.credential_id)
    assert office.parts.app_tokens.lookup("st-elsewhere", token).credential_id == again.credential_id


@pytest.mark.threat("A19")
def test_a_merged_record_freezes_what_was_granted_until_it_is_allowed_anew(any_office: Office) -> None:
    office = any_office
    _, ana = office.someone()
    token = office.redeem(office.approve(ana)).access_token
    app = office.parts.app_tokens.lookup("st-elsewhere", token)
    grant = office.the_grant(ana)
    first = office.composed.first
    replaced = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/ben"}}]}
    first.at("Patient/ana", lambda _asked: {**first.records["ana"].patient(), **replaced}, "ana")
    office.composed.clock.advance(121)
    with pytest.raises(GrantHeld, match="frozen"):
        office.parts.records.studies(app, "r")
    assert office.the_grant(ana).state is S.FROZEN
    with pytest.raises(GrantHeld, match="frozen"):
        office.parts.app_tokens.lookup("st-elsewhere", token)
    office.grants.resume(ana, grant.id)
    assert office.the_grant(ana).state is S.FROZEN
    first.at("Patient/ana", lambda _asked: first.records["ana"].patient(), "ana")
    office.approve(ana)
    assert (office.the_grant(ana).id, office.the_grant(ana).state) == (grant.id, S.ACTIVE)


class TestDays:
    """What time does."""

    def pass_by(self, office: Office, days: float) -> None:
        office.composed.clock.advance(timedelta(days=days).total_seconds())
        office.work()

    @pytest.mark.promise("B7")
    def test_unused_it_rests_after_ninety_days_and_a_week_after_the_letter(self, any_office: Office) -> None:
        office = any_office
        _, ana = office.someone()
        office.with_mail(ana)
        office.approve(ana)
        office.letters()
        self.pass_by(office, 82.5)
        assert office.letters() == []
        self.pass_by(office, 1)
        [letter] = office.letters()
        assert "Canary" not in json.dumps(letter)
        _, ana = office.someone()
        assert office.the_grant(ana).state is S.ACTIVE
        self.pass_by(office, 7.1)
        _, ana = office.someone()
        grant = office.the_grant(ana)
        assert grant.state is S.DORMANT
        office.grants.wake(ana, grant.id)
        assert office.the_grant(ana).state is S.ACTIVE
        self.pass_by(office, 91)
        _, ana = office.someone()
        assert office.the_grant(ana).state is S.ACTIVE  # the letter comes first, however late the worker is

    def test_used_it_does_not_rest(self, office: Office) -> None:
        _, ana = office.someone()
        office.approve(ana)
        grant = office.the_grant(ana)
        self.pass_by(office, 84)
        with office.composed.ground.database.write() as session:
            office.desk.grants.touch(session, grant.id, office.composed.clock.now())
        self.pass_by(office, 8)
        _, ana = office.someone()
        assert office.the_grant(ana).state is S.ACTIVE

    def test_one_with_an_end_of_its_own_rests_at_no_earlier_time(self, any_office: Office) -> None:
        office = any_office
        _, ana = office.someone()
        office.with_mail(ana)
        end = office.composed.clock.now().replace(microsecond=0) + timedelta(days=200)
        office.approve(ana, expires_at=end)
        office.letters()
        self.pass_by(office, 150)
        _, ana = office.someone()
        assert office.the_grant(ana).state is S.ACTIVE
        office.letters()
        self.pass_by(office, 44)
        assert len(office.letters()) == 1
        self.pass_by(office, 7)
        _, ana = office.someone()
        assert office.the_grant(ana).state is S.EXPIRED
        assert "grant.expired" in office.composed.kinds()
        assert office.rows("grant_dates") == 0

    def test_a_long_one_is_brought_to_mind_each_year(self, office: Office) -> None:
        _, ana = office.someone()
        office.with_mail(ana)
        end = office.composed.clock.now() + timedelta(days=1000)
        office.approve(ana, expires_at=end)
        office.letters()
        for _ in range(2):
            self.pass_by(office, 366)
            assert len(office.letters()) == 1


class TestConsents:
    """Promise B5."""

    @pytest.mark.promise("B5")
    def test_it_is_written_updated_and_inactive_at_the_end(self, any_office: Office) -> None:
        office = any_office
        shelf = ConsentShelf(office)
        _, ana = office.someone()
        office.approve(ana, chosen=frozenset({"1.2.3"}), modalities=frozenset({"CT"}))
        office.work()
        consent = shelf.kept["c1"]
        grant = office.the_grant(ana)
        assert (consent["status"], consent["identifier"][0]["value"]) == ("active", grant.id)
        assert consent["patient"]["reference"] == "Patient/ana"
        office.grants.change(
            ana, grant.id, some_terms(chosen=frozenset({"1.2.3"}), modalities=frozenset({"CT"}), reports=False)
        )
        office.work()
        [permit] = shelf.kept["c1"]["provision"]["provision"]
        assert [each["code"] for each in permit["class"]] == ["ImagingStudy"]
        office.grants.end(ana, grant.id)
        office.work()
        assert shelf.kept["c1"]["status"] == "inactive"
        assert shelf.kept["c1"]["meta"]["versionId"] == "3"
        writes = shelf.writes
        office.work()
        assert shelf.writes == writes

    def test_an_ehr_that_is_away_gets_it_later_however_long(self, any_office: Office) -> None:
        office = any_office
        shelf = ConsentShelf(office)
        shelf.down = True
        ehr = office.composed.first.ehr
        following = ehr.said_next({"access_token": office.composed.first.token("ana")})
        browser, ana = office.someone()
        office.approve(ana)
        office.grants.end(ana, office.the_grant(ana).id)
        session = office.parts.identity.lookup(browser.cookie())
        assert session is not None
        office.parts.sign_in.sign_out(session, request_id="")
        ehr.server.at("/auth/token", following)
        office.work()
        office.composed.clock.advance(4 * 86400)
        office.work()
        assert office.rows("ehr_credentials") == 1  # kept for the writing
        shelf.down = False
        office.composed.clock.advance(3700)
        office.work()
        assert shelf.kept["c1"]["status"] == "inactive"
        assert office.rows("ehr_credentials") == 0

    def test_without_a_credential_it_waits_for_the_next_sign_in(self, office: Office) -> None:
        shelf = ConsentShelf(office)
        _, ana = office.someone()
        office.approve(ana)
        grant = office.the_grant(ana)
        with office.composed.ground.database.write() as session:
            from sqlalchemy import text

            session.execute(text("UPDATE ehr_credentials SET sealed = NULL"))
        office.work()
        assert shelf.kept == {}
        office.someone()
        office.work()
        assert shelf.kept["c1"]["identifier"][0]["value"] == grant.id

    def test_a_lost_answer_makes_no_second_consent(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        from smartapp.exchange.grants import store

        shelf = ConsentShelf(office)
        _, ana = office.someone()
        office.approve(ana)

        def lost(*_: object) -> None:
            raise BadInput("lost")

        with monkeypatch.context() as broken:
            broken.setattr(store, "written", lost)
            office.work()
        assert shelf.writes == 1
        office.composed.clock.advance(60)
        office.work()
        assert (shelf.writes, len(shelf.kept)) == (1, 1)
