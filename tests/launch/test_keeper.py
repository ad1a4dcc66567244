"""Keeping tokens: one refresh for everybody, nothing lost, nothing that outlives its right."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as Flag

import pytest
from sqlalchemy.orm import Session

from smartapp.consent.model import SEAL, SignInPermit
from smartapp.db.unit import Database
from smartapp.errors import (
    DatabaseBusy,
    SmartappError,
    UpstreamDown,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamSlow,
)
from smartapp.identity.model import PatientKey
from smartapp.launch import store
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.refresh import ask_next
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import FakeEhr
from tests.launch.house import House, fake_house, permit_for, sign_in
from tests.launch.server import Asked, Route, Said, said


def rotating(ehr: FakeEhr, **changed: object) -> Route:
    """A token endpoint that takes each refresh token once, as a careful EHR does."""
    spent: set[str] = set()

    def token(asked: Asked) -> Said:
        if asked.form["grant_type"] == "authorization_code":
            return ehr.token(asked)
        given = asked.form["refresh_token"]
        if given in spent or given != f"refresh-{len(spent) + 1}":
            return said({"error": "invalid_grant"}, 400)
        spent.add(given)
        number = len(spent) + 1
        fresh = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
        return said({"token_type": "bearer", "expires_in": 3600, **fresh, **changed})

    return token


def refreshes(ehr: FakeEhr) -> list[Asked]:
    return [asked for asked in ehr.token_requests if asked.form["grant_type"] == "refresh_token"]


@pytest.mark.clause("SMART 2.2", "105", "106", "117")
def test_a_token_serves_until_a_minute_before_its_end(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    permit = permit_for(sign_in(house, fake_ehr))
    assert house.keeper.bearer(permit) == "access-1"
    house.clock.advance(3500)
    assert house.keeper.bearer(permit) == "access-1"
    house.clock.advance(50)
    assert house.keeper.bearer(permit) == "access-2"
    house.clock.advance(3590)
    assert house.keeper.bearer(permit) == "access-3"
    assert house.kinds() == ["smart.launch", "smart.refresh", "smart.refresh"]


def test_a_short_token_serves_half_its_life(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.answer["expires_in"] = 30
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(10)
    assert house.keeper.bearer(permit) == "access-1"
    house.clock.advance(10)
    assert house.keeper.bearer(permit) == "access-2"


@pytest.mark.threat("S23")
def test_of_many_workers_one_refreshes_and_all_get_its_token(
    fake_ehr: FakeEhr, database: Database, keyring: Keyring
) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    houses = [fake_house(fake_ehr, database, keyring) for _ in range(4)]
    permit = permit_for(sign_in(houses[0], fake_ehr))
    for worker in houses:
        worker.clock.advance(4000)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: houses[number % 4].keeper.bearer(permit), range(8)))
    assert set(got) == {"access-2"}
    assert len(refreshes(fake_ehr)) == 1


@pytest.mark.threat("S23")
def test_while_one_worker_refreshes_a_living_token_serves_the_others(house: House, fake_ehr: FakeEhr) -> None:
    entered, go_on = Flag(), Flag()
    answer = rotating(fake_ehr)

    def slow(asked: Asked) -> Said:
        if asked.form["grant_type"] == "refresh_token":
            entered.set()
            assert go_on.wait(20)
        return answer(asked)

    fake_ehr.server.at("/auth/token", slow)
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(3560)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(house.keeper.bearer, permit)
        assert entered.wait(20)
        assert house.keeper.bearer(permit) == "access-1"
        go_on.set()
        assert first.result(20) == "access-2"


@pytest.mark.threat("S23")
def test_who_waits_for_another_worker_does_not_wait_for_ever(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    with house.database.write() as session:
        kept = store.find(session, permit.credential_id)
        assert kept is not None
        now = house.clock.now()
        assert store.lease(session, kept, owner="a worker that hangs", now=now, until=now.replace(year=now.year + 1))
    naps: list[float] = []
    waiting = TokenKeeper(house.ehrs, house.database, house.vault, house.audit, house.clock, naps.append)
    with pytest.raises(UpstreamSlow):
        waiting.bearer(permit)
    assert 5 <= sum(naps) <= 20
    assert refreshes(fake_ehr) == []


@pytest.mark.threat("F16")
def test_the_lease_of_a_worker_that_was_killed_ends(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    with house.database.write() as session:
        kept = store.find(session, permit.credential_id)
        assert kept is not None
        now = house.clock.now()
        assert store.lease(session, kept, owner="killed", now=now, until=now)
        assert store.lease(session, kept, owner="next", now=now, until=now)
    assert house.keeper.bearer(permit) == "access-2"


@pytest.mark.threat("S23")
def test_a_version_that_is_past_or_dead_cannot_be_leased(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    now = house.clock.now()

    def current() -> store.Kept:
        with house.database.read() as session:
            kept = store.find(session, permit.credential_id)
        assert kept is not None
        return kept

    first = current()
    with house.database.write() as session:
        assert store.replace(session, first, {"scope": "openid"})
        assert not store.lease(session, first, owner="late", now=now, until=now)
        assert not store.replace(session, first, {"scope": "late"})
    second = current()
    with house.database.write() as session:
        assert store.replace(session, second, {"sealed": None})
    dead = current()
    with house.database.write() as session:
        assert not store.lease(session, dead, owner="nobody", now=now, until=now)


@pytest.mark.clause("SMART 2.2", "106")
def test_an_ehr_that_does_not_rotate_is_served_its_old_refresh_token(house: House, fake_ehr: FakeEhr) -> None:
    def plain(asked: Asked) -> Said:
        if asked.form["grant_type"] == "authorization_code":
            return fake_ehr.token(asked)
        return said(
            {"access_token": f"access-{len(refreshes(fake_ehr)) + 1}", "token_type": "Bearer", "expires_in": 60}
        )

    fake_ehr.server.at("/auth/token", plain)
    permit = permit_for(sign_in(house, fake_ehr))
    for number in (2, 3):
        house.clock.advance(4000)
        assert house.keeper.bearer(permit) == f"access-{number}"
    assert [asked.form["refresh_token"] for asked in refreshes(fake_ehr)] == ["refresh-1", "refresh-1"]


@pytest.mark.threat("S22")
def test_a_grant_that_was_revoked_there_is_dead_here(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            house.keeper.bearer(permit)
    assert len(refreshes(fake_ehr)) == 1
    assert house.kinds() == ["smart.launch", "smart.revoked_upstream"]
    with house.database.read() as session:
        kept = store.find(session, permit.credential_id)
    assert kept is not None
    assert kept.sealed is None


@pytest.mark.threat("S13")
def test_a_refresh_that_names_another_patient_kills_the_credential(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr, patient="p2"))
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    assert house.severities("smart.context.mismatch") == ["high"]


@pytest.mark.threat("S17")
def test_a_refresh_never_widens(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.answer["scope"] = "openid patient/ImagingStudy.rs"
    fake_ehr.server.at("/auth/token", rotating(fake_ehr, scope="openid patient/*.cruds"))
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    house.keeper.bearer(permit)
    with house.database.read() as session:
        kept = store.find(session, permit.credential_id)
    assert kept is not None
    assert kept.scope == "openid patient/ImagingStudy.rs"


@pytest.mark.threat("F5")
@pytest.mark.threat("F6")
@pytest.mark.parametrize(
    ("answer", "error", "pause"),
    [
        (Said(b"", 503, "text/plain", {"Retry-After": "120"}), UpstreamDown, 121),
        (Said(b"", 500, "text/plain"), UpstreamError, 6),
        (Said(b"<html>", 200, "text/html"), UpstreamMalformed, 6),
        (said({"access_token": "x"}), UpstreamMalformed, 6),
        (said({"error": "invalid_client"}, 401), UpstreamError, 6),
        (Said(b"", 400, "text/plain"), UpstreamDown, 6),
    ],
)
def test_an_ehr_without_a_word_on_the_credential_keeps_it(
    house: House, fake_ehr: FakeEhr, answer: Said, error: type[SmartappError], pause: float
) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    fake_ehr.server.at("/auth/token", answer)
    house.clock.advance(4000)
    with pytest.raises(error):
        house.keeper.bearer(permit)
    with pytest.raises(UpstreamDown) as waiting:
        house.keeper.bearer(permit)
    assert waiting.value.retry_after
    assert len(refreshes(fake_ehr)) == 1
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    house.clock.advance(pause)
    assert house.keeper.bearer(permit) == "access-2"


@pytest.mark.threat("F5")
def test_a_refresh_that_fails_early_leaves_the_living_token(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    fake_ehr.server.at("/auth/token", Said(b"", 500, "text/plain"))
    house.clock.advance(3560)
    assert [house.keeper.bearer(permit) for _ in range(3)] == ["access-1"] * 3
    assert len(refreshes(fake_ehr)) == 1


def test_without_a_refresh_token_the_right_ends_with_the_token(house: House, fake_ehr: FakeEhr) -> None:
    del fake_ehr.answer["refresh_token"]
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(3590)
    assert house.keeper.bearer(permit) == "access-1"
    house.clock.advance(20)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    assert house.kinds() == ["smart.launch", "smart.expired"]


@pytest.mark.threat("S22")
def test_a_token_that_was_refused_is_replaced_once_and_no_more(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    permit = permit_for(sign_in(house, fake_ehr))
    house.keeper.rejected(permit, "access-1")
    assert house.keeper.bearer(permit) == "access-2"
    house.keeper.rejected(permit, "access-1")
    assert house.keeper.bearer(permit) == "access-2"
    house.keeper.rejected(permit, "access-2")
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    assert len(refreshes(fake_ehr)) == 1
    assert house.kinds()[-1] == "smart.revoked_upstream"


@pytest.mark.threat("S23")
def test_a_refusal_while_another_worker_refreshes_does_not_disturb_it(house: House, fake_ehr: FakeEhr) -> None:
    answer = rotating(fake_ehr)

    def meanwhile(asked: Asked) -> Said:
        if asked.form["grant_type"] == "refresh_token":
            house.keeper.rejected(permit, "access-1")
        return answer(asked)

    fake_ehr.server.at("/auth/token", meanwhile)
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(3560)
    assert house.keeper.bearer(permit) == "access-2"
    assert house.keeper.bearer(permit) == "access-2"
    assert fake_ehr.server.asked("/auth/revoke") == []


class Flaky(Database):
    """A database that is busy at its next writes, before or (the outcome being lost) after COMMIT."""

    def __init__(self, real: Database) -> None:
        super().__init__(real.engine)
        self.before = self.after = 0

    @contextmanager
    def write(self) -> Iterator[Session]:
        if self.before:
            self.before -= 1
            raise DatabaseBusy
        with super().write() as session:
            yield session
        if self.after:
            self.after -= 1
            raise DatabaseBusy


@pytest.mark.threat("F13")
@pytest.mark.threat("F14")
@pytest.mark.parametrize(("before", "after"), [(2, 0), (0, 1)])
def test_what_the_ehr_rotated_is_saved_though_the_database_is_busy(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, before: int, after: int
) -> None:
    flaky = Flaky(sqlite_database)
    house = fake_house(fake_ehr, flaky, keyring)
    answer = rotating(fake_ehr)

    def then_busy(asked: Asked) -> Said:
        if asked.form["grant_type"] == "refresh_token":
            flaky.before, flaky.after = before, after
        return answer(asked)

    fake_ehr.server.at("/auth/token", then_busy)
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    assert house.keeper.bearer(permit) == "access-2"
    assert house.keeper.bearer(permit) == "access-2"
    assert (flaky.before, flaky.after) == (0, 0)
    assert fake_ehr.server.asked("/auth/revoke") == []


@pytest.mark.threat("S22")
def test_a_refused_token_without_successor_is_dead(house: House, fake_ehr: FakeEhr) -> None:
    del fake_ehr.answer["refresh_token"]
    permit = permit_for(sign_in(house, fake_ehr))
    house.keeper.rejected(permit, "access-1")
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)


def test_a_permit_of_another_patient_gets_no_token(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    for key in (PatientKey("st-elsewhere", "p2"), PatientKey("mercy", "p1")):
        with pytest.raises(UpstreamRefused):
            house.keeper.bearer(replace(permit, patient=key))
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(replace(permit, credential_id="ehr-unknown"))


def test_a_sign_in_permit_gets_the_token_of_its_patient(house: House, fake_ehr: FakeEhr) -> None:
    done = sign_in(house, fake_ehr)
    permit = SignInPermit(
        seal=SEAL, provider=done.provider, patient_id=done.patient_id, credential_id=done.credential_id
    )
    assert house.keeper.bearer(permit) == "access-1"


def test_a_credential_that_was_put_back_does_not_open(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    permit = permit_for(sign_in(house, fake_ehr))
    with house.database.read() as session:
        old = store.find(session, permit.credential_id)
    house.clock.advance(4000)
    house.keeper.bearer(permit)
    with house.database.write() as session:
        now = store.find(session, permit.credential_id)
        assert old is not None
        assert now is not None
        assert store.replace(session, now, {"sealed": old.sealed})
    with pytest.raises(IntegrityError):
        house.keeper.bearer(permit)


@pytest.mark.clause("RFC 7009", "2.1")
def test_the_end_forgets_and_gives_back(house: House, fake_ehr: FakeEhr) -> None:
    permit = permit_for(sign_in(house, fake_ehr))
    house.keeper.end(permit.credential_id)
    house.keeper.end(permit.credential_id)
    given = [(asked.form["token"], asked.form["token_type_hint"]) for asked in fake_ehr.server.asked("/auth/revoke")]
    assert given == [("refresh-1", "refresh_token"), ("access-1", "access_token")]
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ehr: ehr.server.at("/auth/revoke", Said(b"", 500)),
        lambda ehr: ehr.metadata.pop("revocation_endpoint"),
    ],
)
def test_the_end_comes_whatever_the_ehr_says(
    house: House, fake_ehr: FakeEhr, spoil: Callable[[FakeEhr], object]
) -> None:
    spoil(fake_ehr)
    permit = permit_for(sign_in(house, fake_ehr))
    house.keeper.end(permit.credential_id)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)


def test_tokens_that_come_after_the_end_are_given_back(house: House, fake_ehr: FakeEhr) -> None:
    answer = rotating(fake_ehr)

    def while_it_ends(asked: Asked) -> Said:
        if asked.form["grant_type"] == "refresh_token":
            house.keeper.end(permit.credential_id)
        return answer(asked)

    fake_ehr.server.at("/auth/token", while_it_ends)
    permit = permit_for(sign_in(house, fake_ehr))
    house.clock.advance(4000)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    revoked = [asked.form["token"] for asked in fake_ehr.server.asked("/auth/revoke")]
    assert revoked == ["refresh-1", "access-1", "refresh-2", "access-2"]


def test_what_the_ehr_says_is_told_without_its_tokens(house: House, fake_ehr: FakeEhr) -> None:
    sign_in(house, fake_ehr)
    fake_ehr.server.at("/auth/token", rotating(fake_ehr))
    ehr = house.ehrs.of("st-elsewhere")
    patient = PatientKey("st-elsewhere", "p1")
    answer = ask_next(house.ehrs, ehr, refresh_token="refresh-1", scopes=("openid",), patient=patient)
    assert "access-2" not in repr(answer)
