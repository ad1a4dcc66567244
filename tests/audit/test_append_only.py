"""Nobody with the application's credentials can change what was written."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from smartapp.audit.ddl import create_triggers, drop_triggers
from smartapp.audit.model import Event
from smartapp.audit.tables import AuditEventRow
from tests.access.faults import run
from tests.access.house import House
from tests.access.trail import kinds, rows


@pytest.fixture
def written(house: House) -> House:
    for kind in ("first", "second", "third"):
        house.audit.record(Event(kind))
    return house


@pytest.mark.promise("E1")
@pytest.mark.threat("T17")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET kind = 'forged'",
        "UPDATE audit_events SET seq = seq + 10",
        "DELETE FROM audit_events WHERE seq = 1",
        "DELETE FROM audit_events",
    ],
)
def test_no_statement_changes_or_removes_a_row(written: House, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|seq"):
        run(written.database, statement)
    assert kinds(written) == ["first", "second", "third"]


@pytest.mark.threat("T17")
def test_not_even_a_flush_of_the_mapped_object_does(written: House) -> None:
    def forge(session: Session) -> None:
        row = session.get_one(AuditEventRow, 1)
        row.kind = "forged"
        session.flush()

    def forget(session: Session) -> None:
        session.delete(session.get_one(AuditEventRow, 1))
        session.flush()

    for work in (
        forge,
        forget,
        lambda session: session.execute(update(AuditEventRow).values(kind="forged")),
        lambda session: session.execute(delete(AuditEventRow)),
    ):
        with pytest.raises(DBAPIError, match="append-only"), written.database.write() as session:
            work(session)
    assert kinds(written) == ["first", "second", "third"]


@pytest.mark.threat("T5")
@pytest.mark.parametrize("verb", ["INSERT", "INSERT OR REPLACE"])
@pytest.mark.parametrize("seq", ["1", "3", "0", "-1", "-7"])
def test_no_row_is_put_below_the_head(written: House, verb: str, seq: str) -> None:
    sqlite = written.database.engine.name == "sqlite"
    names = "at, skewed, kind, severity, provider, patient_ref, principal_ref, session_ref, disclosure_id, request_id"
    statement = (
        f"{verb if sqlite else 'INSERT'} INTO audit_events (seq, {names}, detail) "  # noqa: S608 - fixed words
        f"{'' if sqlite else 'OVERRIDING SYSTEM VALUE '}"
        f"SELECT {seq}, {names}, detail FROM audit_events WHERE seq = 2"
    )
    with pytest.raises(DBAPIError):
        run(written.database, statement)
    assert kinds(written) == ["first", "second", "third"]


@pytest.mark.threat("T17")
def test_the_table_cannot_be_emptied_at_once(written: House) -> None:
    if written.database.engine.name == "sqlite":
        return  # SQLite has no TRUNCATE: its DELETE without a condition is tried above
    with pytest.raises(DBAPIError, match="append-only"):
        run(written.database, "TRUNCATE audit_events")
    assert kinds(written) == ["first", "second", "third"]


@pytest.mark.threat("T17")
def test_a_migration_can_take_the_triggers_off_and_put_them_on(written: House) -> None:
    dialect = written.database.engine.name
    run(written.database, *drop_triggers(dialect), "UPDATE audit_events SET kind = 'migrated'")
    run(written.database, *create_triggers(dialect))
    assert {row.kind for row in rows(written)} == {"migrated"}
    with pytest.raises(DBAPIError, match="append-only"):
        run(written.database, "DELETE FROM audit_events")
