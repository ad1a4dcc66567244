"""The desk of the hospital's staff: `smartapp staff …`. Each look and each act is written down with who it was."""

import argparse
import getpass
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from smartapp.bootstrap.ground import Ground
from smartapp.bootstrap.worklist import build_desk
from smartapp.errors import ConfigurationError, NotFound
from smartapp.exchange.worklist.desk import StaffDesk, Who, WorklistRefused
from smartapp.exchange.worklist.model import How, Item, OpenedItem, State
from smartapp.records.unmatched import Unmatched
from smartapp.security.envelope import IntegrityError

_LONGEST_NAME: Final = 80
_LONGEST_NOTE: Final = 1000
_WITHHELD: Final = "EHR and PACS give this study to different people. It is shown to nobody until they agree."
_DONE: Final[Mapping[How, str]] = {
    How.CORRECTED: "The study is shown once EHR and PACS agree; if they still do not, the item is open again.",
    How.NOT_OURS: "The study stays withheld. The item opens again if EHR or PACS say something else of it.",
    How.LEFT: "The study stays withheld. The item opens again if EHR or PACS say something else of it.",
}

Action = Callable[[argparse.Namespace, Ground, StaffDesk], Iterator[str]]


def lines(arguments: argparse.Namespace, ground: Ground) -> Iterator[str]:
    """Does the action that `arguments` name; the lines to print. ConfigurationError says what cannot be done."""
    try:
        yield from _ACTIONS[arguments.action](arguments, ground, build_desk(ground))
    except NotFound:
        named = quoted(arguments.item)
        raise ConfigurationError(f"There is no item {named}: see `smartapp staff worklist`.") from None
    except IntegrityError:
        raise ConfigurationError("The item was changed in the database by something else, or cut: ask why.") from None
    except WorklistRefused as refused:
        raise ConfigurationError(_why(refused)) from None


def quoted(text: str) -> str:
    """`text` in quotes, with everything escaped that could move a cursor, change a terminal, or turn text around."""
    safe = "".join(
        f"\\{sign}" if sign in '"\\' else sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in text
    )
    return f'"{safe}"'


def _list(arguments: argparse.Namespace, ground: Ground, desk: StaffDesk) -> Iterator[str]:
    known = [provider.id for provider in ground.settings.providers]
    if arguments.provider is not None and arguments.provider not in known:
        raise ConfigurationError(f"There is no provider {quoted(arguments.provider)}: choose of {', '.join(known)}.")
    state = State(arguments.state) if arguments.state else None
    found = desk.list(arguments.provider, state, _who(arguments))
    if arguments.json:
        yield from (json.dumps(_plain(item)) for item in found)
        return
    if not found:
        yield "The worklist is empty." if state is None else f"Nothing on the worklist is {state.value}."
    for item in found:
        standing = item.standing
        seen = f"since {_when(item.first_seen)}, last seen {_when(standing.last_seen)}, {_times(standing.times_seen)}"
        yield "  ".join((item.id, item.provider, item.kind, _state(item), seen))


def _show(arguments: argparse.Namespace, ground: Ground, desk: StaffDesk) -> Iterator[str]:
    found = desk.show(arguments.item, _who(arguments))
    if arguments.json:
        yield json.dumps(_whole(found))
        return
    item, standing = found.item, found.item.standing
    yield f"{item.id} at {item.provider}: {item.kind}, {_state(item)}"
    yield f"first seen {_when(item.first_seen)}, last seen {_when(standing.last_seen)}, {_times(standing.times_seen)}"
    yield _WITHHELD
    yield f"  withheld from the record of  Patient {quoted(found.patient.patient_id)}" + _numbers(found.facts)
    yield from _told(found.facts, ground, item.provider)
    if found.word is not None and found.word.by:
        yield f"  {standing.state.value} by {quoted(found.word.by)}"
    if standing.state is State.SETTLED and found.word is not None and not found.word.by:
        yield "  settled by itself: EHR and PACS agree now"
    if found.word is not None and found.word.note:
        yield f"  note  {quoted(found.word.note)}"


def _told(facts: Unmatched | None, ground: Ground, provider: str) -> Iterator[str]:
    """What each source says of the study, word by word."""
    if facts is None:
        yield "  What it said was erased, with the patient's key."
        return
    subjects = ", ".join(f"Patient {quoted(subject)}" for subject in facts.subjects) or "nothing of it"
    studies = f" (ImagingStudy {_all(facts.imaging_studies)})" if facts.imaging_studies else ""
    yield f"  the EHR says   {subjects}{studies}"
    issuer = f", issuer {quoted(facts.issuer)}" if facts.issuer else ""
    yield "  the PACS says  " + (
        f"PatientID {quoted(facts.patient_id)}{issuer}" if facts.patient_id else "nothing of it"
    )
    zone = ZoneInfo(ground.settings.provider(provider).timezone)
    shown = {
        "StudyInstanceUID": facts.uid, "accession": _all(facts.accessions),
        "date": f"{facts.started.astimezone(zone):%Y-%m-%d %H:%M %Z}" if facts.started else "",
        "description": quoted(facts.description) if facts.description else "", "modality": _all(facts.modalities),
    }  # fmt: skip
    for name, value in shown.items():
        if value:
            yield f"  {name}  {value}"


def _take(arguments: argparse.Namespace, _ground: Ground, desk: StaffDesk) -> Iterator[str]:
    who = _who(arguments)
    desk.take(arguments.item, who)
    yield f"{arguments.item} is taken by {quoted(who.name)}."


def _settle(arguments: argparse.Namespace, _ground: Ground, desk: StaffDesk) -> Iterator[str]:
    how = How(arguments.how)
    note = _words(arguments.note, "--note must say what was found and done", _LONGEST_NOTE)
    desk.settle(arguments.item, how, note, _who(arguments))
    yield f"{arguments.item} is settled. {_DONE[how]}"


def _who(arguments: argparse.Namespace) -> Who:
    name = getattr(arguments, "name", None)
    return Who(getpass.getuser(), _words(name, "--as must be your name", _LONGEST_NAME) if name is not None else "")


def _words(text: str, rule: str, longest: int) -> str:
    words = " ".join(text.split())
    if not words or len(words) > longest or not words.isprintable():
        raise ConfigurationError(f"{rule}, in at most {longest} characters, none of them a control character.")
    return words


def _why(refused: WorklistRefused) -> str:
    if refused.code == "worklist.taken":
        return f"{quoted(refused.by)} is at it already. Talk to them; whoever is done may settle it."
    return "It is settled already: it opens again by itself when there is something new."


def _plain(item: Item) -> dict[str, Any]:
    standing = item.standing
    return {
        "id": item.id,
        "provider": item.provider,
        "kind": item.kind,
        "state": standing.state.value,
        "how": standing.how.value if standing.how else None,
        "first_seen": item.first_seen.isoformat(),
        "last_seen": standing.last_seen.isoformat(),
        "times_seen": standing.times_seen,
        "settled_at": standing.settled_at.isoformat() if standing.settled_at else None,
    }


def _whole(found: OpenedItem) -> dict[str, Any]:
    facts = asdict(found.facts) if found.facts else None
    if facts is not None and found.facts is not None:
        facts["started"] = found.facts.started.isoformat() if found.facts.started else None
    said = asdict(found.word) if found.word else {"by": "", "note": ""}
    return {**_plain(found.item), "patient": found.patient.patient_id, "facts": facts, **said}


def _state(item: Item) -> str:
    standing = item.standing
    return f"{standing.state.value} ({standing.how.value})" if standing.how else standing.state.value


def _numbers(facts: Unmatched | None) -> str:
    return f" (record numbers {_all(facts.ours)})" if facts and facts.ours else ""


def _all(values: tuple[str, ...]) -> str:
    return ", ".join(quoted(value) for value in values)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


_ACTIONS: Final[Mapping[str, Action]] = {"worklist": _list, "show": _show, "take": _take, "settle": _settle}
