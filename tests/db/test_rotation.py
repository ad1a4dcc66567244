import os
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import func, select

from smartapp.db import datakeys as module
from smartapp.db import store
from smartapp.db.datakeys import DataKeys
from smartapp.db.engine import make_engine
from smartapp.db.tables import DataKeyRow
from smartapp.db.unit import Database
from smartapp.security.keyring import Keyring
from smartapp.settings import Database as DatabaseSettings
from tests.support.clock import FixedClock

PATIENTS = [f"west/{number}" for number in range(40)]


def stale(database: Database, current: str) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).where(DataKeyRow.kek_id != current)) or 0


def rotate_and_die(url: str, folder: Path, batches: int) -> None:
    """Another process's rotation, killed after some batches, inside the next one's transaction."""
    rewrap, done = store.rewrap, iter(range(batches * 2))

    def dying(*arguments: object) -> None:
        if next(done, None) is None:
            os._exit(9)
        rewrap(*arguments)  # type: ignore[arg-type] # handed on as they came

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "rewrap", dying)
        patch.setattr(module, "_BATCH", 2)
        DataKeys(patient_database(url), Keyring.rotate(folder)).rewrap_all()


def patient_database(url: str) -> Database:
    return Database(make_engine(DatabaseSettings(url, lock_timeout=60)))


@pytest.mark.threat("C8")
@pytest.mark.parametrize("batches", [0, 1, 5])
def test_a_rotation_that_is_killed_is_finished_by_the_next(
    database: Database, database_url: str, keyring: Keyring, tmp_path: Path, batches: int
) -> None:
    secrets = {patient: DataKeys(database, keyring).for_patient(patient).secret for patient in PATIENTS}
    killed = get_context("spawn").Process(target=rotate_and_die, args=(database_url, tmp_path / "keys", batches))
    killed.start()
    killed.join()
    assert killed.exitcode == 9

    after = Keyring.load(tmp_path / "keys")
    assert stale(database, after.current) == len(PATIENTS) - 2 * batches
    for ring in (keyring, after):
        datakeys = DataKeys(database, ring)
        assert {patient: datakeys.for_patient(patient).secret for patient in PATIENTS} == secrets
    assert DataKeys(database, after).rewrap_all() == len(PATIENTS) - 2 * batches
    assert stale(database, after.current) == 0


@pytest.mark.threat("C8")
def test_readers_and_writers_go_on_while_keys_rotate(database_url: str, keyring: Keyring, tmp_path: Path) -> None:
    database = patient_database(database_url)
    secrets = {patient: DataKeys(database, keyring).for_patient(patient).secret for patient in PATIENTS}
    over = threading.Event()

    def use(worker: int) -> int:
        ring, rounds = Keyring.load(tmp_path / "keys"), 0
        while not over.is_set() or not rounds:
            datakeys = DataKeys(database, ring, FixedClock())
            for patient in (*PATIENTS[worker::4], f"new/{worker}-{rounds % 5}"):
                found = datakeys.for_patient(patient).secret
                assert found == secrets.setdefault(patient, found)
            rounds += 1
        return rounds

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(use, worker) for worker in range(4)]
        try:
            for _ in range(3):
                DataKeys(database, Keyring.rotate(tmp_path / "keys")).rewrap_all()
        finally:
            over.set()
        assert all(future.result() for future in working)
    rewrapping = DataKeys(database, Keyring.load(tmp_path / "keys"))
    rewrapping.rewrap_all()
    assert stale(database, Keyring.load(tmp_path / "keys").current) == 0
    assert {patient: rewrapping.for_patient(patient).secret for patient in secrets} == secrets
    database.engine.dispose()
