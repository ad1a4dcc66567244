"""Queries over what is published."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from smartapp.db.revisions.tables import RevisionRow
from smartapp.db.upsert import upsert


def find(session: Session, names: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """Digest, and since when, of each name that is known."""
    columns = (RevisionRow.name, RevisionRow.digest, RevisionRow.changed_at)
    return {name: (digest, at) for name, digest, at in session.execute(select(*columns).where(columns[0].in_(names)))}


def note(session: Session, digests: Mapping[str, str], now: datetime) -> None:
    """Writes down what changed; what is as it was keeps its time, also where two workers come at once."""
    for name, digest in sorted(digests.items()):
        new = upsert(session, RevisionRow).values(name=name, digest=digest, changed_at=now)
        session.execute(
            new.on_conflict_do_update(
                index_elements=["name"],
                set_={"digest": new.excluded.digest, "changed_at": new.excluded.changed_at},
                where=RevisionRow.digest != new.excluded.digest,
            )
        )
