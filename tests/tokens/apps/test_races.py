"""At most one success, whatever the number of threads, workers and connections; and never a fault of ours."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from smartapp.errors import CodeRefused, NotSignedIn, RefreshRefused, SmartappError
from smartapp.ids import new_id
from smartapp.tokens.apps.model import Issued
from tests.tokens.apps.house import OTHER, PROVIDER, AppHouse

THREADS = 32


def at_once(worker: AppHouse, attempt: Callable[[AppHouse], object]) -> list[object]:
    """What came of it, for each thread; half of them in another worker. Any error but a refusal fails the test."""
    barrier = threading.Barrier(THREADS)
    results: list[object] = []

    def run(house: AppHouse) -> None:
        barrier.wait()
        try:
            results.append(attempt(house))
        except (SmartappError, OSError) as error:
            results.append(error)

    with worker.another() as other:
        threads = [threading.Thread(target=run, args=((worker, other)[number % 2],)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == THREADS
    return results


@pytest.mark.threat("O2")
def test_of_many_redemptions_one_succeeds_and_its_family_is_dead(worker: AppHouse) -> None:
    grant = worker.grant(worker.app())
    code = worker.code(grant)
    results = at_once(worker, lambda house: house.redeem(code, grant.client_id))
    won = [each for each in results if isinstance(each, Issued)]
    assert len(won) == 1
    lost = [each for each in results if isinstance(each, CodeRefused)]
    assert [each.code for each in lost] == ["oauth.code.replay"] * (THREADS - 1)
    with pytest.raises(NotSignedIn):
        worker.tokens.lookup(PROVIDER, won[0].access_token)
    with pytest.raises(RefreshRefused):
        worker.refresh(won[0].refresh_token)
    assert worker.count("app_families") == worker.count("app_refresh_tokens") == 1
    assert worker.history(grant.id) == ["approved", "tokens-stopped"]


@pytest.mark.threat("O27")
def test_many_refreshes_at_once_have_one_successor(worker: AppHouse) -> None:
    one = worker.issued()
    results = at_once(worker, lambda house: house.refresh(one.refresh_token))
    won = [each for each in results if isinstance(each, Issued)]
    assert len(won) == THREADS
    assert len({each.refresh_token for each in won}) == 1
    assert len({each.access_token for each in won}) == THREADS
    assert worker.count("app_refresh_tokens") == 2
    assert worker.tokens.lookup(PROVIDER, won[0].access_token)
    assert worker.refresh(won[0].refresh_token)


@pytest.mark.threat("O45")
def test_an_assertion_counts_once(worker: AppHouse) -> None:
    until = worker.clock.now() + timedelta(seconds=330)
    results = at_once(worker, lambda house: house.tokens.first_use(PROVIDER, "app-1", "jti-1", until, request_id="req"))
    assert Counter(results) == {True: 1, False: THREADS - 1}
    assert worker.kinds(severity="high") == ["client.auth.jti_replay"] * (THREADS - 1)


def test_two_approvals_at_once_give_one_grant(worker: AppHouse) -> None:
    app = worker.app()
    first = worker.grant(app)
    worker.move(first, first.state.ENDED)

    def approve(house: AppHouse) -> int:
        def work(session: Session) -> int:
            living = house.grants.living(session, PROVIDER, app.client_id, first.patient, first.person_id)
            base = living or replace(first, id=new_id("grt"), version=0)
            following = replace(base, version=base.version + 1)
            house.grants.put(session, following, kind="approved", by="patient")
            return following.version

        return house.database.run(work, attempts=THREADS)

    assert sorted(map(str, at_once(worker, approve)), key=int) == [str(n) for n in range(1, THREADS + 1)]
    assert worker.count("grants") == 2


@pytest.mark.promise("B5")
def test_an_end_during_refreshes_holds(worker: AppHouse) -> None:
    """Whoever wins: after the end nothing of the grant is served, and nothing can be refreshed."""
    one = worker.issued()
    grant = one.grant
    assert grant is not None
    turn = iter(range(THREADS))

    def attempt(house: AppHouse) -> object:
        if next(turn) % 8:
            return house.refresh(one.refresh_token)

        def end(session: Session) -> None:
            house.grants.set_state(session, grant.id, grant.state.ENDED, kind="ended", by="patient")
            house.tokens.end_grant(session, grant.id, "ended")

        return house.database.run(end, attempts=THREADS)

    results = at_once(worker, attempt)
    assert {type(each) for each in results} <= {Issued, RefreshRefused, type(None)}
    for each in results:
        if isinstance(each, Issued):
            with pytest.raises(NotSignedIn):
                worker.tokens.lookup(PROVIDER, each.access_token)
            with pytest.raises(RefreshRefused):
                worker.refresh(each.refresh_token)


@pytest.mark.threat("F20")
@pytest.mark.threat("O45")
def test_an_assertion_stays_used_until_no_clock_takes_it(worker: AppHouse) -> None:
    def first(client: str = "app-1", jti: str = "jti-1", provider: str = PROVIDER) -> bool:
        until = worker.clock.now() + timedelta(seconds=330)
        return worker.tokens.first_use(provider, client, jti, until, request_id="req")

    assert first()
    worker.clock.advance(329)
    assert not first()
    assert first(client="app-2")
    assert first(jti="jti-2")
    assert first(provider=OTHER)
    assert not first(provider=OTHER)
    assert first(client="app-1j", jti="ti-1")
    assert first(jti="\ud800")
    worker.clock.advance(1)
    assert first()
    with worker.another() as other:
        until = worker.clock.now() + timedelta(seconds=330)
        assert not other.tokens.first_use(PROVIDER, "app-1", "jti-1", until, request_id="req")


@pytest.mark.threat("O54")
def test_an_initial_access_token_counts_once_at_all_hospitals_together(worker: AppHouse) -> None:
    until = worker.clock.now() + timedelta(days=1)
    results = at_once(worker, lambda house: house.tokens.first_registration("token-1", until))
    assert Counter(results) == {True: 1, False: THREADS - 1}
    assert worker.tokens.first_registration("token-2", until)
    assert worker.kinds() == []
