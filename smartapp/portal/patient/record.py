"""Whose record a page is of, and for whom it is shown: on every page, so that no one mistakes one for another."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from smartapp.errors import WrongContext
from smartapp.identity.model import Principal, PrincipalKind
from smartapp.web import sessions
from smartapp.web.parts import parts


@dataclass(frozen=True)
class Record:
    """What the head of a page says. `acting`: `person`, a representative, is looking, not the patient."""

    context_id: str
    name: str
    birth_date: date | None
    hospital: str
    timezone: ZoneInfo
    person: str
    acting: bool


def record_of(principal: Principal) -> Record:
    """The record that `principal`'s page is of; WrongContext when the session does not hold it (any more)."""
    provider = parts().settings.provider(principal.patient.provider)
    for context in sessions.current().contexts:
        if context.context_id == principal.context_id:
            return Record(
                context_id=principal.context_id,
                name=context.display.record_name,
                birth_date=context.display.record_birth_date,
                hospital=provider.name,
                timezone=ZoneInfo(provider.timezone),
                person=context.display.person_name,
                acting=principal.kind is PrincipalKind.REPRESENTATIVE,
            )
    raise WrongContext
