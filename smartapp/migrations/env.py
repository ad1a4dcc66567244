"""What Alembic runs: the models of all rooms against the connection that it is handed (see `smartapp.db.schema`)."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Column

import smartapp.audit.tables
import smartapp.consent.grants.tables
import smartapp.db.outbox.tables
import smartapp.db.revisions.tables
import smartapp.db.tables
import smartapp.exchange.approvals.tables
import smartapp.exchange.developers.tables
import smartapp.exchange.grants.tables
import smartapp.exchange.worklist.tables
import smartapp.identity.apps.tables
import smartapp.identity.contacts.tables
import smartapp.identity.tables
import smartapp.launch.tables
import smartapp.records.tables
import smartapp.tokens.apps.tables
import smartapp.tokens.limits.tables
import smartapp.tokens.tables  # noqa: F401 -- as those above: importing a model makes it known to Base
from smartapp.db.base import Base
from smartapp.db.types import UtcDateTime


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A revision holds what stood in the database at its time: it does not use types of ours, which may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=True,  # SQLite cannot alter most things: the table is made anew
        render_item=_render,
        compare_type=_types_differ,
    )
    with context.begin_transaction():
        context.run_migrations()


def _types_differ(_context: Any, inspected: Column[Any], _column: Column[Any], _old: Any, new: Any) -> bool | None:
    """SQLite keeps no zone and no difference between whole numbers; None leaves the question to Alembic."""
    dialect = context.config.attributes["connection"].dialect
    if dialect.name == "sqlite" and isinstance(new, UtcDateTime):
        return str(inspected.type) != "DATETIME"
    return None


_run()
