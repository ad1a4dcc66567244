"""Sessions: bound to one person and record, limited in time, rotated, ended everywhere."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from smartapp.errors import AuditUnavailable, NotFound, PermitEnded, WrongContext
from smartapp.identity.model import Display, OpenedSession, PatientKey, PrincipalKind
from smartapp.security.envelope import IntegrityError
from tests.access.faults import broken
from tests.access.house import ANA, BEN, House
from tests.access.trail import kinds, rows

MINUTE = 60
HOUR = 3600


@pytest.fixture
def opened(house: House) -> OpenedSession:
    return house.sign_in()


@pytest.mark.promise("E3")
def test_the_cookie_opens_the_session_and_its_record(house: House, opened: OpenedSession) -> None:
    found = house.browser(opened)
    (context,) = found.contexts
    assert found.session_id == opened.session_id
    assert (context.context_id, context.patient, context.kind) == (opened.context_id, ANA, PrincipalKind.PATIENT)
    assert (context.fhir_user, context.credential_id) == ("Patient/ana", "cred-of-ana")
    assert context.display == Display("Ana Canary", "Ana Canary", date(1980, 2, 3))
    assert found.idle_until == house.clock.now() + timedelta(minutes=15)
    assert found.absolute_until == house.clock.now() + timedelta(hours=8)


@pytest.mark.parametrize("cookie", ["", "sas_", "x", "sas_" + "A" * 43, "\x00", "é" * 5000])
def test_any_other_cookie_opens_nothing(house: House, opened: OpenedSession, cookie: str) -> None:
    assert house.identity.lookup(cookie) is None
    assert house.identity.lookup(opened.cookie + "A") is None


@pytest.mark.promise("E2")
@pytest.mark.threat("T18")
def test_neither_cookie_nor_names_nor_subject_are_stored_in_the_clear(house: House, opened: OpenedSession) -> None:
    with house.database.read() as session:
        stored = [
            repr(tuple(row))
            for table in ("people", "sessions", "contexts", "audit_events")
            for row in session.execute(text(f"SELECT * FROM {table}")).all()  # noqa: S608 - names from this list
        ]
    assert len(stored) == 4
    for secret in (opened.cookie, opened.cookie[4:], "Canary", "1980-02-03", "sub-of-ana", "Patient/ana"):
        assert secret not in "".join(stored)
    assert "cookie" not in repr(opened)


@pytest.mark.promise("E3")
@pytest.mark.threat("W9")
@pytest.mark.parametrize(("idle", "alive"), [(15 * MINUTE - 1, True), (15 * MINUTE, False), (9 * HOUR, False)])
def test_it_ends_after_fifteen_idle_minutes(house: House, opened: OpenedSession, idle: int, *, alive: bool) -> None:
    house.clock.advance(idle)
    assert (house.identity.lookup(opened.cookie) is not None) is alive
    assert house.identity.end_expired() == (() if alive else ("cred-of-ana",))
    assert ("session.expired" in kinds(house)) is not alive


@pytest.mark.promise("E3")
@pytest.mark.threat("W9")
def test_activity_moves_the_idle_limit_and_polling_does_not(house: House, opened: OpenedSession) -> None:
    house.clock.advance(10 * MINUTE)
    assert house.browser(opened).idle_until == house.clock.now() + timedelta(minutes=15)
    for _ in range(14):
        house.clock.advance(MINUTE)
        assert house.identity.lookup(opened.cookie, touch=False) is not None
    house.clock.advance(MINUTE)
    assert house.identity.lookup(opened.cookie, touch=False) is None
    assert house.identity.lookup(opened.cookie) is None


@pytest.mark.promise("E3")
@pytest.mark.threat("W9")
def test_it_ends_after_eight_hours_however_busy(house: House, opened: OpenedSession) -> None:
    for _ in range(8 * 12 - 1):
        house.clock.advance(5 * MINUTE)
        assert house.identity.lookup(opened.cookie) is not None
    house.clock.advance(5 * MINUTE)
    assert house.identity.lookup(opened.cookie) is None
    assert house.identity.end_expired() == ("cred-of-ana",)


def test_an_expiry_is_written_down_once(house: House, opened: OpenedSession) -> None:
    house.clock.advance(HOUR)
    for worker in (house, house, house.another()):
        assert worker.identity.lookup(opened.cookie) is None
        worker.identity.end_expired()
    assert kinds(house) == ["session.open", "session.expired"]


def test_clearing_up_leaves_live_sessions_alone(house: House, opened: OpenedSession) -> None:
    house.clock.advance(10 * MINUTE)
    live = house.sign_in(BEN)
    house.identity.end(house.sign_in(BEN).session_id)
    house.clock.advance(10 * MINUTE)
    assert house.identity.end_expired() == ("cred-of-ana",)
    assert house.identity.lookup(live.cookie) is not None
    assert house.identity.lookup(opened.cookie) is None


def test_activity_is_written_at_most_every_thirty_seconds(house: House, opened: OpenedSession) -> None:
    before = house.browser(opened).idle_until
    house.clock.advance(29)
    assert house.browser(opened).idle_until == before
    house.clock.advance(1)
    assert house.browser(opened).idle_until == before + timedelta(seconds=30)
    assert house.another().browser(opened).idle_until == before + timedelta(seconds=30)


@pytest.mark.promise("E3")
@pytest.mark.threat("W6")
def test_signing_in_replaces_the_session_of_this_browser(house: House, opened: OpenedSession) -> None:
    other = house.sign_in(BEN, replaces=opened.cookie)
    assert other.cookie != opened.cookie
    assert other.replaced_credentials == ("cred-of-ana",)
    assert house.identity.lookup(opened.cookie) is None
    assert [context.patient for context in house.browser(other).contexts] == [BEN]
    assert kinds(house) == ["session.open", "session.rotate", "session.open"]


@pytest.mark.threat("S8")
def test_a_cookie_that_somebody_planted_is_not_taken_over(house: House) -> None:
    planted = "sas_planted"
    assert house.sign_in(replaces=planted).cookie != planted
    assert house.identity.lookup(planted) is None


def test_a_sign_in_that_fails_leaves_the_old_session(house: House, opened: OpenedSession) -> None:
    with pytest.raises(ValueError, match="one provider"), house.database.write() as session:
        house.identity.open_session(
            session,
            provider="county",
            iss="i",
            sub="s",
            fhir_user="Patient/ana",
            kind=PrincipalKind.PATIENT,
            patient=ANA,
            credential_id="c",
            display=Display("a", "b"),
            user_agent="",
            replaces=opened.cookie,
        )
    assert house.identity.lookup(opened.cookie) is not None


def test_a_person_is_who_provider_issuer_and_subject_name(house: House) -> None:
    def person(provider: str, iss: str, sub: str) -> str:
        return house.browser(house.sign_in(PatientKey(provider, "x"), iss=iss, sub=sub)).person_id

    first = person("p", "https://a", "1")
    assert person("p", "https://a", "1") == first
    others = [person("p", "https://a", "2"), person("p", "https://b", "1"), person("q", "https://a", "1")]
    assert len({first, *others}) == 4


@pytest.mark.threat("S21")
def test_a_context_belongs_to_one_session(house: House, opened: OpenedSession) -> None:
    other = house.sign_in(BEN)
    assert house.identity.principal(house.browser(other), other.context_id).patient == BEN
    for context_id in (opened.context_id, "", "ctx-none"):
        with pytest.raises(WrongContext):
            house.identity.principal(house.browser(other), context_id)
    with house.database.read() as session, pytest.raises(PermitEnded):
        house.identity.revive(session, other.session_id, opened.context_id)


@pytest.mark.promise("A6")
def test_a_representative_acts_as_themselves_until_their_right_ends(house: House) -> None:
    end = house.clock.now() + timedelta(hours=1)
    opened = house.sign_in(kind=PrincipalKind.REPRESENTATIVE, relation="MTH", expires_at=end)
    session = house.browser(opened)
    principal = house.identity.principal(session, opened.context_id)
    assert session.contexts[0].relation == "MTH"
    assert (principal.kind, principal.expires_at) == (PrincipalKind.REPRESENTATIVE, end)
    with house.database.read() as reader:
        assert house.identity.revive(reader, opened.session_id, opened.context_id) == principal


def test_a_right_never_outlasts_the_session(house: House) -> None:
    opened = house.sign_in(expires_at=house.clock.now() + timedelta(days=1))
    session = house.browser(opened)
    assert house.identity.principal(session, opened.context_id).expires_at == session.absolute_until


@pytest.mark.promise("E3")
def test_ending_holds_at_once_and_gives_back_the_credentials(house: House, opened: OpenedSession) -> None:
    worker = house.another()
    worker.identity.require_live(opened.session_id)
    assert house.identity.end(opened.session_id) == ("cred-of-ana",)
    with pytest.raises(PermitEnded):
        worker.identity.require_live(opened.session_id)
    assert worker.identity.lookup(opened.cookie) is None
    assert house.identity.end(opened.session_id) == ()
    assert kinds(house) == ["session.open", "session.end"]


@pytest.mark.parametrize("after", [15 * MINUTE, 8 * HOUR])
def test_a_session_past_a_limit_is_not_live(house: House, opened: OpenedSession, after: int) -> None:
    house.clock.advance(after)
    with pytest.raises(PermitEnded):
        house.identity.require_live(opened.session_id)
    with pytest.raises(PermitEnded):
        house.identity.require_live("ses-none")


@pytest.mark.promise("E3")
def test_sign_out_everywhere_ends_this_persons_sessions_and_nobody_elses(house: House, opened: OpenedSession) -> None:
    second, other = house.sign_in(), house.sign_in(BEN)
    person = house.browser(opened).person_id
    assert house.identity.end_all(person) == ("cred-of-ana", "cred-of-ana")
    assert house.identity.lookup(opened.cookie) is None
    assert house.identity.lookup(second.cookie) is None
    assert house.identity.lookup(other.cookie) is not None
    assert house.identity.list_sessions(person) == ()
    assert len(rows(house, "session.end-all")) == 2


@pytest.mark.promise("E3")
def test_the_list_shows_live_sessions_newest_first_and_which_is_this_one(house: House, opened: OpenedSession) -> None:
    house.clock.advance(10 * MINUTE)
    phone = house.sign_in(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18 Safari/604")
    house.sign_in(BEN)
    house.clock.advance(4 * MINUTE)
    person = house.browser(phone).person_id
    listed = house.identity.list_sessions(person, current=phone.session_id)
    assert [(one.session_id, one.agent, one.is_current) for one in listed] == [
        (phone.session_id, "Safari, iPhone", True),
        (opened.session_id, "Firefox, Linux", False),
    ]
    house.clock.advance(2 * MINUTE)
    assert [one.session_id for one in house.identity.list_sessions(person)] == [phone.session_id]


def test_nobody_ends_the_session_of_another(house: House, opened: OpenedSession) -> None:
    other = house.sign_in(BEN)
    person = house.browser(other).person_id
    for session_id in (opened.session_id, "ses-none"):
        with pytest.raises(NotFound):
            house.identity.end(session_id, person_id=person)
    assert house.identity.lookup(opened.cookie) is not None
    assert house.identity.end(other.session_id, person_id=person) == ("cred-of-ben",)


@pytest.mark.threat("T13")
def test_once_the_patients_key_is_destroyed_the_names_are_gone(house: House, opened: OpenedSession) -> None:
    house.datakeys.destroy(str(ANA))
    with pytest.raises(IntegrityError):
        house.identity.lookup(opened.cookie)


@pytest.mark.threat("T11")
def test_without_a_trail_nobody_signs_in(house: House) -> None:
    with broken(house.database, "audit_events"), pytest.raises(AuditUnavailable):
        house.sign_in()
    with house.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM sessions")).scalar() == 0
