"""What makes the table append-only for whoever has our credentials: triggers, in each database's own words.

Used by the migration, and whenever the tables are made from the metadata. They do not stop the database's owner, who
can drop them: that takes a copy of the log elsewhere.
"""

from typing import Final

_SQLITE: Final = (
    """CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END""",
    """CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers. A seq that is left out reads as -1 here.
    """CREATE TRIGGER audit_events_no_insert_below BEFORE INSERT ON audit_events
    WHEN NEW.seq <> -1 AND NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit_events)
    BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END""",
)
_SQLITE_DROP: Final = (
    "DROP TRIGGER audit_events_no_insert_below",
    "DROP TRIGGER audit_events_no_delete",
    "DROP TRIGGER audit_events_no_update",
)

_POSTGRESQL: Final = (
    """CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit_events is append-only'; END $$""",
    """CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_refuse()""",
    """CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()""",
    # OVERRIDING SYSTEM VALUE gets round the identity column.
    """CREATE FUNCTION audit_events_refuse_below() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit_events) THEN
            RAISE EXCEPTION 'audit_events is append-only';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER audit_events_no_insert_below BEFORE INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_refuse_below()""",
)
_POSTGRESQL_DROP: Final = (
    "DROP TRIGGER audit_events_no_insert_below ON audit_events",
    "DROP FUNCTION audit_events_refuse_below()",
    "DROP TRIGGER audit_events_no_truncate ON audit_events",
    "DROP TRIGGER audit_events_no_change ON audit_events",
    "DROP FUNCTION audit_events_refuse()",
)

_CREATE: Final = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
_DROP: Final = {"sqlite": _SQLITE_DROP, "postgresql": _POSTGRESQL_DROP}


def create_triggers(dialect: str) -> tuple[str, ...]:
    """The statements to run after the table is made; `dialect` is `sqlite` or `postgresql` (else KeyError)."""
    return _CREATE[dialect]


def drop_triggers(dialect: str) -> tuple[str, ...]:
    """The statements that undo `create_triggers`, to run before the table is dropped."""
    return _DROP[dialect]
