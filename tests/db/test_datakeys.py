from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from smartapp.db import store
from smartapp.db.datakeys import DataKeys
from smartapp.db.tables import DataKeyRow
from smartapp.db.unit import Database
from smartapp.security.envelope import IntegrityError, open_, seal
from smartapp.security.keyring import Keyring
from tests.support.clock import FixedClock


def count(database: Database, *conditions: object) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(DataKeyRow).where(*conditions)) or 0  # type: ignore[arg-type] # conditions are SQL expressions


def test_one_key_per_patient_for_all_workers(database: Database, keyring: Keyring, fixed_clock: FixedClock) -> None:
    workers = [DataKeys(database, keyring, fixed_clock) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda worker: worker.for_patient("west/1"), workers))
    assert len({key.secret for key in keys}) == 1
    assert count(database) == 1


def test_patients_have_different_keys(database: Database, keyring: Keyring) -> None:
    datakeys = DataKeys(database, keyring)
    assert datakeys.for_patient("west/1").secret != datakeys.for_patient("east/1").secret


def test_inside_a_write_the_callers_session_is_used(database: Database, keyring: Keyring) -> None:
    datakeys = DataKeys(database, keyring)
    with database.write() as session:
        rolled_back = datakeys.for_patient("west/1", session=session)
        session.rollback()
    assert count(database) == 0
    assert datakeys.for_patient("west/1").secret != rolled_back.secret


@pytest.mark.threat("C10")
def test_a_destroyed_key_is_gone_everywhere_within_a_minute(
    database: Database, keyring: Keyring, fixed_clock: FixedClock
) -> None:
    here, there = DataKeys(database, keyring, fixed_clock), DataKeys(database, keyring, fixed_clock)
    sealed = seal(there.for_patient("west/1"), b"report", b"")
    here.destroy("west/1")
    fixed_clock.advance(60)
    for datakeys in (here, there):
        with pytest.raises(IntegrityError):
            open_(datakeys.for_patient("west/1"), sealed, b"")


@pytest.mark.threat("C13")
def test_the_table_holds_neither_patient_nor_key(database: Database, keyring: Keyring) -> None:
    key = DataKeys(database, keyring).for_patient("west/patient-4711")
    with database.read() as session:
        row = session.scalars(select(DataKeyRow)).one()
        stored = repr([row.patient_ref, row.key_id, row.wrapped]).encode()
    assert b"4711" not in stored
    assert key.secret not in row.wrapped


@pytest.mark.threat("C4")
def test_a_wrapped_key_does_not_open_in_another_patients_row(database: Database, keyring: Keyring) -> None:
    datakeys = DataKeys(database, keyring)
    datakeys.for_patient("west/1")
    with database.write() as session:
        session.execute(update(DataKeyRow).values(patient_ref=keyring.mac("data-key", "west/2")))
    with pytest.raises(IntegrityError):
        datakeys.for_patient("west/2")


@pytest.mark.threat("C8")
def test_rewrapping_stopped_halfway_goes_on_and_every_key_stays_readable(
    database: Database, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = DataKeys(database, keyring)
    secrets = {f"west/{n}": running.for_patient(f"west/{n}").secret for n in range(5)}
    rotated = Keyring.rotate(tmp_path / "keys")
    rotating = DataKeys(database, rotated)

    monkeypatch.setattr("smartapp.db.datakeys._BATCH", 2)
    assert rotating._rewrap_some() == 2
    for datakeys in (DataKeys(database, keyring), DataKeys(database, rotated)):
        assert {patient: datakeys.for_patient(patient).secret for patient in secrets} == secrets

    assert rotating.rewrap_all() == 3
    assert rotating.rewrap_all() == 0
    assert count(database, DataKeyRow.kek_id != rotated.current) == 0
    fresh = DataKeys(database, Keyring.load(tmp_path / "keys"))
    assert {patient: fresh.for_patient(patient).secret for patient in secrets} == secrets


def test_a_key_changed_meanwhile_is_not_rewrapped(database: Database, keyring: Keyring) -> None:
    DataKeys(database, keyring).for_patient("west/1")
    with database.write() as session:
        (key,) = store.not_wrapped_by(session, "other", 10)
        store.rewrap(session, store.WrappedKey(key.patient_ref, "dk-other", key.kek_id, b""), key)
        assert store.find(session, key.patient_ref) == key
