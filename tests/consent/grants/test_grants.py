"""Grants: versions that follow one another, a history that only grows, and terms that are kept to the letter."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from smartapp.consent.grants.model import Grant, GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.db.faults import CONFLICT
from smartapp.errors import DatabaseBusy
from smartapp.identity.apps.model import App
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.ids import new_id
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring
from tests.support.databases import PostgresDatabases
from tests.tokens.apps.house import ANA, OTHER, PROVIDER, SCOPE, AppHouse

FULL = Terms(
    scopes=parse("openid patient/ImagingStudy.rs?modality=CT,MR&started=ge2024-01-01 patient/DiagnosticReport.r"),
    chosen=frozenset({"1.2.3", "1.2.4"}),
    modalities=frozenset({"CT"}),
    body_sites=frozenset({"51185008", "CHEST"}),
    started_from=date(2024, 1, 1),
    started_to=date(2026, 12, 31),
    reports=False,
    images="deidentified",
    future=False,
    purpose="HRESCH",
    expires_at=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    sensitive=frozenset({"1.2.4"}),
)


def put(house: AppHouse, grant: Grant, kind: str = "changed") -> None:
    with house.database.write() as session:
        house.grants.put(session, grant, kind=kind, by="patient")


def living(house: AppHouse, app: App, **changed: Any) -> Grant | None:
    asked = {"provider": PROVIDER, "client_id": app.client_id, "patient": ANA, "person_id": "per-ana", **changed}
    with house.database.read() as session:
        return house.grants.living(session, **asked)


@pytest.mark.promise("B3")
def test_a_grant_is_found_as_it_was_put(worker: AppHouse) -> None:
    grant = worker.grant(worker.app(), terms=FULL, granted_by=PrincipalKind.REPRESENTATIVE, session_id="ses-1")
    with worker.another() as other:
        assert other.found(grant) == grant
    with worker.database.read() as session:
        assert worker.grants.find(session, "grt-unknown") is None
        assert worker.grants.events(session, "grt-unknown") == ()


DAYS = st.none() | st.dates()
WORDS = st.frozensets(st.text(max_size=8), max_size=3)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        Terms,
        scopes=st.sampled_from([parse(SCOPE), parse(""), parse("patient/*.read"), FULL.scopes]),
        chosen=st.none() | WORDS,
        modalities=WORDS,
        body_sites=WORDS,
        started_from=DAYS,
        started_to=DAYS,
        reports=st.booleans(),
        images=st.sampled_from(["full", "deidentified", "none"]),
        future=st.booleans(),
        purpose=st.text(max_size=8),
        expires_at=st.none() | st.datetimes(min_value=datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- the strategy adds the zone
        sensitive=WORDS,
    )
)
def test_terms_are_kept_to_the_letter(house: AppHouse, terms: Terms) -> None:
    grant = house.grant(house.app(), terms=terms)
    assert house.found(grant).terms == terms


def test_scopes_that_nobody_understood_are_not_kept(house: AppHouse) -> None:
    grant = house.grant(house.app(), terms=Terms(scopes=parse("patient/ImagingStudy.rs?foo=bar openid")))
    assert house.found(grant).terms.scopes == parse("openid")


@pytest.mark.promise("E2")
def test_neither_patient_nor_terms_are_readable_in_the_tables(house: AppHouse) -> None:
    house.grant(house.app(), terms=replace(FULL, purpose="CANARY"), fhir_user="Patient/canary")
    with house.database.read() as session:
        rows = [*session.execute(text("SELECT * FROM grants")), *session.execute(text("SELECT * FROM grant_events"))]
    assert len(rows) == 2
    for named in ("canary", "CANARY", "1.2.3", "51185008"):
        assert named not in repr(rows)


def test_once_the_patients_key_is_destroyed_the_terms_are_gone(house: AppHouse) -> None:
    grant = house.grant(house.app())
    house.house.datakeys.destroy(str(ANA))
    house.house.datakeys.for_patient(str(ANA))
    with house.database.read() as session, pytest.raises(IntegrityError):
        house.grants.find(session, grant.id)


def test_a_row_put_in_anothers_place_opens_nothing(house: AppHouse) -> None:
    one, two = house.grant(house.app()), house.grant(house.app())
    with house.database.write() as session:
        moved = "UPDATE grants SET sealed = (SELECT sealed FROM grants WHERE id = :two) WHERE id = :one"
        session.execute(text(moved), {"one": one.id, "two": two.id})
    with house.database.read() as session, pytest.raises(IntegrityError):
        house.grants.find(session, one.id)


@pytest.mark.promise("B4")
def test_versions_follow_one_another(worker: AppHouse) -> None:
    grant = worker.grant(worker.app())
    worker.clock.advance(60)
    two = replace(grant, version=2, terms=FULL, changed_at=worker.clock.now(), credential_id="cred-2")
    put(worker, two)
    assert worker.found(grant) == two
    with worker.database.read() as session:
        first, second = worker.grants.events(session, grant.id)
    assert (first.kind, first.by, first.version, first.terms) == ("approved", "patient", 1, grant.terms)
    assert (second.kind, second.version, second.terms, second.at) == ("changed", 2, FULL, worker.clock.now())


@pytest.mark.parametrize("version", [2, 4, 5])
def test_only_the_next_version_is_taken(worker: AppHouse, version: int) -> None:
    grant = worker.grant(worker.app())
    put(worker, replace(grant, version=2))
    with pytest.raises(DatabaseBusy) as busy:
        put(worker, replace(grant, version=version))
    assert busy.value.code == CONFLICT
    assert worker.found(grant).version == 2
    assert worker.history(grant.id) == ["approved", "changed"]


@pytest.mark.parametrize("state", [GrantState.ENDED, GrantState.EXPIRED])
def test_no_version_follows_an_end(worker: AppHouse, state: GrantState) -> None:
    grant = worker.grant(worker.app())
    worker.move(grant, state)
    with pytest.raises(DatabaseBusy):
        put(worker, replace(grant, version=2))
    assert worker.found(grant).state is state


def test_one_grant_lives_for_an_app_patient_and_person(worker: AppHouse) -> None:
    app = worker.app()
    grant = worker.grant(app)
    with pytest.raises(DatabaseBusy):
        worker.grant(app)
    assert living(worker, app) == grant
    assert living(worker, app, patient=PatientKey(PROVIDER, "ben")) is None
    assert living(worker, app, person_id="per-ben") is None
    assert living(worker, app, client_id="app-x") is None
    assert living(worker, app, provider=OTHER) is None
    assert worker.grant(app, person_id="per-ben")
    assert worker.grant(app, patient=PatientKey(PROVIDER, "ben"))
    assert worker.count("grants") == 3


def test_a_patient_of_another_hospital_is_a_fault(house: AppHouse) -> None:
    with pytest.raises(ValueError, match="one provider"):
        house.grant(house.app(), patient=PatientKey(OTHER, "ana"))


@pytest.mark.parametrize("how", ["over", "ended", "suspended"])
def test_what_lives_no_more_makes_place_for_the_next(worker: AppHouse, how: str) -> None:
    app = worker.app()
    old = worker.grant(app, terms=Terms(scopes=parse(SCOPE), expires_at=worker.later(days=1)))
    if how == "over":
        worker.clock.advance(86400)
    else:
        worker.move(old, GrantState(how))
    assert living(worker, app) is None
    new = worker.grant(app)
    assert living(worker, app) == new
    expected = {"over": GrantState.EXPIRED, "ended": GrantState.ENDED, "suspended": GrantState.ENDED}
    assert worker.found(old).state is expected[how]
    with worker.database.read() as session:
        assert worker.grants.of_person(session, "per-ana", ANA)[-1].id in {old.id, new.id}
        assert len(worker.grants.of_person(session, "per-ana", ANA)) == 2


def test_moving_to_where_it_stands_writes_nothing(worker: AppHouse) -> None:
    grant = worker.grant(worker.app())
    worker.move(grant, GrantState.PAUSED)
    with worker.database.write() as session:
        assert not worker.grants.set_state(session, grant.id, GrantState.PAUSED, kind="paused", by="patient")
        assert not worker.grants.set_state(session, "grt-x", GrantState.PAUSED, kind="paused", by="patient")
    assert worker.history(grant.id) == ["approved", "paused"]


def test_time_is_told_without_anybody_writing_it_down(worker: AppHouse) -> None:
    grant = worker.grant(worker.app(), terms=Terms(scopes=parse(SCOPE), expires_at=worker.later(days=1)))
    for after, state in ((86399, GrantState.ACTIVE), (1, GrantState.EXPIRED)):
        worker.clock.advance(after)
        with worker.database.read() as session:
            standing = worker.grants.standing(session, grant.id)
        assert standing is not None
        assert (standing.version, standing.state) == (1, state)


def test_who_else_needs_a_way_to_the_ehr(worker: AppHouse) -> None:
    grant = worker.grant(worker.app(), terms=Terms(scopes=parse(SCOPE), expires_at=worker.later(days=1)))

    def held(credential: str) -> bool:
        with worker.database.read() as session:
            return worker.grants.holds_credential(session, credential)

    assert held("cred-ana")
    with worker.database.write() as session:
        assert worker.grants.set_credential(session, grant.id, "cred-new")
    assert (held("cred-ana"), held("cred-new")) == (False, True)
    for state in (GrantState.PAUSED, GrantState.SUSPENDED, GrantState.ACTIVE):
        worker.move(grant, state)
        assert held("cred-new")
    worker.clock.advance(86400)
    assert not held("cred-new")
    worker.move(grant, GrantState.ENDED)
    with worker.database.write() as session:
        assert not worker.grants.set_credential(session, grant.id, "cred-late")


def test_grants_by_session_and_by_app(worker: AppHouse) -> None:
    app = worker.app()
    bound = worker.grant(app, session_id="ses-1")
    free = worker.grant(app, person_id="per-ben")
    other = worker.grant(worker.app(), session_id="ses-2")
    with worker.database.read() as session:
        assert worker.grants.of_session(session, "ses-1") == (bound,)
        assert set(worker.grants.of_client(session, PROVIDER, app.client_id)) == {bound, free}
        assert worker.grants.of_client(session, OTHER, app.client_id) == ()
    worker.move(bound, GrantState.ENDED)
    with worker.database.read() as session:
        assert worker.grants.of_session(session, "ses-1") == ()
        assert worker.grants.of_client(session, PROVIDER, app.client_id) == (free,)
        assert worker.grants.of_session(session, "ses-2") == (other,)


@pytest.mark.promise("B6")
def test_who_has_not_been_used_for_long(worker: AppHouse) -> None:
    unused, used, paused = (worker.grant(worker.app()) for _ in range(3))
    worker.move(paused, GrantState.PAUSED)
    worker.clock.advance(50 * 86400)
    with worker.database.write() as session:
        worker.grants.touch(session, used.id, worker.clock.now())
    worker.clock.advance(40 * 86400)
    moment = worker.clock.now() - timedelta(days=90)

    def found(limit: int = 10) -> list[str]:
        with worker.database.write() as session:
            return [grant.id for grant in worker.grants.unused_since(session, moment, limit)]

    assert found() == [unused.id]
    assert found(0) == []
    worker.move(unused, GrantState.DORMANT)
    assert found() == []
    worker.move(unused, GrantState.ACTIVE)
    assert found() == []


def test_a_second_worker_is_given_other_unused_grants(postgres_databases: PostgresDatabases, keyring: Keyring) -> None:
    """On PostgreSQL: SQLite has one writer."""
    with postgres_databases.ready() as url, AppHouse(url, keyring).another() as worker, worker.another() as other:
        first, second = (worker.grant(worker.app()) for _ in range(2))
        worker.clock.advance(90 * 86400)
        now = worker.clock.now()
        with worker.database.write() as one, other.database.write() as two:
            taken = [*worker.grants.unused_since(one, now, 1), *other.grants.unused_since(two, now, 2)]
    assert sorted(grant.id for grant in taken) == sorted([first.id, second.id])


def test_a_note_changes_nothing(worker: AppHouse) -> None:
    grant = worker.grant(worker.app())
    with worker.database.write() as session:
        worker.grants.note(session, grant.id, kind="tokens-stopped", by="us")
        worker.grants.note(session, new_id("grt"), kind="tokens-stopped", by="us")
    assert worker.found(grant) == grant
    assert worker.history(grant.id) == ["approved", "tokens-stopped"]
