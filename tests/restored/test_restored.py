"""A backup is put back: what had been ended after it must not come to life again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from smartapp.audit.checkpoint import Mark
from smartapp.bootstrap import build_house, lay_ground
from smartapp.bootstrap.restored import build_checkpoint, require_not_earlier
from smartapp.errors import CodeRefused, ConfigurationError, RefreshRefused
from smartapp.exchange.restored.watch import Watch
from smartapp.settings import Storage
from tests.exchange.desk import Office
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.threats.composed import BASE, Composed, composed
from tests.threats.holding import MAIL

pytestmark = [pytest.mark.threat("F30"), pytest.mark.promise("E8")]


@pytest.fixture
def office(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Office]:
    """A worker that serves, and keeps a file outside the database."""
    storage = Storage(tmp_path / "cache", checkpoint=tmp_path / "checkpoint")
    with composed(sqlite_files, tmp_path, mail=MAIL, storage=storage) as running:
        yield Office(running)


def watch(composed: Composed) -> Watch:
    found = composed.house.watch
    assert found is not None
    return found


def database(composed: Composed) -> Path:
    return Path(str(composed.ground.database.engine.url.database))


def backup(composed: Composed, to: Path) -> None:
    with closing(sqlite3.connect(database(composed))) as here, closing(sqlite3.connect(to)) as there:
        here.backup(there)


def put_back(office: Office, saved: Path) -> Office:
    """The backup takes the database's place; another worker is built upon it, and has not looked yet."""
    before = office.composed
    with closing(sqlite3.connect(saved)) as here, closing(sqlite3.connect(database(before))) as there:
        here.backup(there)
    ground = lay_ground(before.ground.settings, before.clock)
    again = Office.__new__(Office)
    again.composed = replace(before, ground=ground, house=build_house(ground))
    again.app = office.app
    return again


def reads(office: Office, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    client = office.composed.house.app.test_client(use_cookies=False)
    return client.get("/st-elsewhere/fhir/ImagingStudy", base_url=BASE, headers=headers).status_code


def renews(office: Office, token: str) -> bool:
    asked = {"client_id": office.app.client_id, "narrow": lambda most: most, "request_id": "req-3"}
    try:
        office.parts.app_tokens.refresh("st-elsewhere", token, **asked)  # type: ignore[arg-type] # as the fields are
    except RefreshRefused:
        return False
    return True


def signed_in(office: Office, cookie: str) -> bool:
    return office.parts.identity.lookup(cookie) is not None


def high(office: Office) -> list[str]:
    with office.composed.ground.database.read() as session:
        rows = session.execute(text("SELECT kind FROM audit_events WHERE kind = 'restore.epoch' AND severity = 'high'"))
        return list(rows.scalars())


def test_what_was_ended_after_the_backup_is_dead_after_it_is_put_back(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    browser, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    waiting = office.approve(office.someone("ben")[1])
    watch(office.composed).look()
    backup(office.composed, tmp_path / "saved.db")
    cookie = browser.cookie()
    office.grants.end(ana, office.the_grant(ana).id, request_id="req-end")
    office.parts.identity.end_all(ana.person_id)
    assert (reads(office, issued.access_token), signed_in(office, cookie)) == (401, False)
    watch(office.composed).look()

    restored = put_back(office, tmp_path / "saved.db")
    assert (reads(restored, issued.access_token), signed_in(restored, cookie)) == (200, True)
    with pytest.raises(ConfigurationError, match="earlier one"):
        require_not_earlier(restored.composed.ground)
    calls = restored.composed.calls()
    watch(restored.composed).look()
    assert (reads(restored, issued.access_token), signed_in(restored, cookie)) == (401, False)
    assert issued.refresh_token is not None
    assert not renews(restored, issued.refresh_token)
    with pytest.raises(CodeRefused):
        restored.redeem(waiting)
    assert restored.composed.calls() == calls
    assert high(restored) == ["restore.epoch"]
    assert "the database is an earlier one than was served from" in caplog.text
    require_not_earlier(restored.composed.ground)


def test_everything_ends_on_either_database(databases: SqliteFiles | PostgresDatabases, tmp_path: Path) -> None:
    storage = Storage(tmp_path / "cache", checkpoint=tmp_path / "checkpoint")
    with composed(databases, tmp_path, mail=MAIL, storage=storage) as running:
        office = Office(running)
        people = [office.someone(patient) for patient in ("ana", "ben")]
        issued = office.redeem(office.approve(people[0][1]))
        checkpoint = build_checkpoint(running.ground)
        assert checkpoint is not None
        checkpoint.write(Mark(checkpoint.head().seq + 1, "a row that this database never had"))
        watch(running).look()
        assert checkpoint.read() == checkpoint.head()
        assert not any(signed_in(office, browser.cookie()) for browser, _ in people)
        assert reads(office, issued.access_token) == 401
        assert high(office) == ["restore.epoch"]


def test_it_is_done_once_and_people_may_come_back(office: Office, tmp_path: Path) -> None:
    office.someone()
    backup(office.composed, tmp_path / "saved.db")
    office.someone()
    watch(office.composed).look()
    restored = put_back(office, tmp_path / "saved.db")
    watch(restored.composed).look()
    browser, ana = restored.someone()
    issued = restored.redeem(restored.approve(ana))
    for worker in (restored, put_back_nothing(restored)):
        watch(worker.composed).look()
    assert signed_in(restored, browser.cookie())
    assert reads(restored, issued.access_token) == 200
    assert high(restored) == ["restore.epoch"]


def put_back_nothing(office: Office) -> Office:
    """Another worker on the database as it is."""
    ground = lay_ground(office.composed.ground.settings, office.composed.clock)
    again = Office.__new__(Office)
    again.composed, again.app = replace(office.composed, ground=ground, house=build_house(ground)), office.app
    return again


def test_a_database_that_is_exchanged_below_a_running_worker_is_noticed(office: Office, tmp_path: Path) -> None:
    browser, _ = office.someone()
    backup(office.composed, tmp_path / "saved.db")
    office.someone("ben")
    watch(office.composed).look()
    put_back(office, tmp_path / "saved.db")
    watch(office.composed).look()
    assert not signed_in(office, browser.cookie())
    assert high(office) == ["restore.epoch"]


def test_a_backup_that_lived_on_is_noticed_all_the_same(office: Office, tmp_path: Path) -> None:
    backup(office.composed, tmp_path / "saved.db")
    browser, _ = office.someone()
    watch(office.composed).look()
    restored = put_back(office, tmp_path / "saved.db")
    others = [restored.someone("ben")[0] for _ in range(3)]
    watch(restored.composed).look()
    assert high(restored) == ["restore.epoch"]
    assert not any(signed_in(restored, each.cookie()) for each in (browser, *others))


def test_stopped_halfway_it_is_done_again(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, _ = office.someone()
    backup(office.composed, tmp_path / "saved.db")
    office.someone("ben")
    watch(office.composed).look()
    restored = put_back(office, tmp_path / "saved.db")
    with monkeypatch.context() as broken:
        broken.setattr(restored.parts.identity, "end_everybody", lambda _kind: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            watch(restored.composed).look()
    assert signed_in(restored, browser.cookie())
    watch(restored.composed).look()
    assert not signed_in(restored, browser.cookie())


def test_without_a_backup_nobody_is_signed_out(office: Office) -> None:
    browser, ana = office.someone()
    issued = office.redeem(office.approve(ana))
    for worker in (office, put_back_nothing(office), office):
        watch(worker.composed).look()
        worker.someone("ben")
    assert signed_in(office, browser.cookie())
    assert reads(office, issued.access_token) == 200
    assert high(office) == []


def test_the_threads_of_a_serving_process_look_and_end(office: Office, tmp_path: Path) -> None:
    office.someone()
    serving = watch(office.composed)
    serving.start()
    assert (tmp_path / "checkpoint").exists()
    office.someone("ben")
    serving.stop()
    put_back_nothing(office)
    require_not_earlier(office.composed.ground)


def test_a_file_that_cannot_be_used_is_logged_and_stops_nobody(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    browser, _ = office.someone()
    (tmp_path / "checkpoint").write_text("nonsense")
    watch(office.composed).look()
    assert "it is no checkpoint" in caplog.text
    assert signed_in(office, browser.cookie())
