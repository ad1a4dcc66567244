"""Items of the worklist, and what becomes of one when the same is noticed again, or no more. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Unmatched

STUDY_UNMATCHED: Final = "study-unmatched"
"""The kind of an item: EHR and PACS give a study to different people."""


class State(StrEnum):
    """Where an item stands."""

    OPEN = "open"
    TAKEN = "taken"
    """Somebody is at it."""
    SETTLED = "settled"


class How(StrEnum):
    """How an item was settled."""

    CORRECTED = "corrected"
    """EHR and PACS were made to agree: if they still do not, it is open again."""
    NOT_OURS = "not-ours"
    """The study is not this patient's; it stays withheld."""
    LEFT = "left"
    """Known, and left as it is; it stays withheld."""


@dataclass(frozen=True)
class Standing:
    """What is judged of an item. `facts_ref` is the hash of what disagrees; empty once nothing does.

    `how` and `settled_at` belong to settled items. Times are UTC.
    """

    state: State
    facts_ref: str
    last_seen: datetime
    times_seen: int
    how: How | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Word:
    """What was said last of an item: by whom (empty: EHR and PACS themselves agree), and the note."""

    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Item:
    """An item without what it says of anybody."""

    id: str
    provider: str
    kind: str
    standing: Standing
    first_seen: datetime


@dataclass(frozen=True)
class OpenedItem:
    """An item as staff read it. Personal data of patients; `facts` and `word` are None once they were erased."""

    item: Item
    patient: PatientKey
    facts: Unmatched | None
    word: Word | None


def again(standing: Standing, facts_ref: str, at: datetime) -> Standing:
    """After the same study was found not to match, by a refresh that began at `at`.

    What was settled as corrected is open again, since it is not; anything else is when other facts disagree than those
    it was settled on. A refresh from before it was settled changes nothing.
    """
    if standing.settled_at is not None and at <= standing.settled_at:
        return standing
    counted = replace(standing, times_seen=standing.times_seen + 1)
    if at < standing.last_seen:
        return counted
    fresh = replace(counted, last_seen=at, facts_ref=facts_ref)
    if standing.state is not State.SETTLED:
        return fresh
    if standing.how is How.CORRECTED or standing.facts_ref != facts_ref:
        return replace(fresh, state=State.OPEN, how=None, settled_at=None)
    return fresh


def gone(standing: Standing, at: datetime) -> Standing:
    """After a refresh that began at `at` found nothing that disagrees any more.

    An item that waited is settled by that. One that staff settled stays as it is, but for its facts: should EHR and
    PACS ever disagree again, that is news.
    """
    if at < (standing.settled_at or standing.last_seen):
        return standing
    if standing.state is State.SETTLED:
        return replace(standing, facts_ref="")
    return replace(standing, state=State.SETTLED, how=How.CORRECTED, settled_at=at, facts_ref="")
