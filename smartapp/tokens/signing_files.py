"""The keys that sign id_tokens, on disk beside the others: which is current, which comes next, which are over."""

import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from smartapp.errors import ConfigurationError
from smartapp.security import keyfiles
from smartapp.security.keyfiles import UnusableKey

INDEX: Final = "signing.json"
ALGORITHMS: Final = ("RS256", "ES256")
"""What we sign with. SMART App Launch 2.2 (id_token) requires RS256 of every server."""
SEEN_BEFORE_USE: Final = timedelta(hours=1)
"""How long a key is published before it signs: clients keep a key set for about so long."""
KEPT_AFTER: Final = timedelta(days=1)
"""How long a key stays published after it last signed: longer than any id_token lives."""
_ID: Final = re.compile(r"[a-z0-9]{1,32}")

Place = Literal["current", "next", "old"]
PrivateKey = RSAKey | ECKey


@dataclass(frozen=True)
class Entry:
    """One key. `made_at` and, of an old one, `retired_at` are ISO 8601 in UTC."""

    id: str
    alg: str
    place: Place
    made_at: str
    retired_at: str = ""


def read_entries(folder: Path) -> tuple[Entry, ...]:
    """What `signing.json` lists. Raises UnusableKey when it is missing, not ours, or changeable by others."""
    path = folder / INDEX
    try:
        with path.open("r", encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            entries = tuple(Entry(**each) for each in json.load(file))
    except FileNotFoundError as error:
        raise UnusableKey(f"No keys for id_tokens in {folder}: run `smartapp keys rotate-signing`.") from error
    except (OSError, ValueError, TypeError) as error:
        raise UnusableKey(f"{path} cannot be read: restore it from the backup of the keys.") from error
    if mode & 0o022:
        raise UnusableKey(f"{path} can be changed by others: run `chmod 600 {path}`.")
    if not all(_ID.fullmatch(each.id) for each in entries) or not _complete(entries):
        raise UnusableKey(f"{path} does not name a current and a next key: restore it from the backup of the keys.")
    return entries


def read_key(folder: Path, entry: Entry) -> PrivateKey:
    """The private key of `entry`. Raises UnusableKey when missing, readable by others, or of another kind."""
    path = _path(folder, entry.id)
    try:
        with path.open("r", encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = (RSAKey if entry.alg == "RS256" else ECKey).import_key(json.load(file))
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise UnusableKey(f"{path} cannot be read: restore it from the backup of the keys.") from error
    if mode & 0o077:
        raise UnusableKey(f"{path} can be read by others: run `chmod 600 {path}`, and rotate if it may have been.")
    if not key.is_private:
        raise UnusableKey(f"{path} holds no private key: restore it from the backup of the keys.")
    return key


def rotate(folder: Path, now: datetime, *, at_once: bool = False) -> None:
    """The next keys become current, new ones come next; the first time, both are made.

    Raises ConfigurationError while the next keys are published for less than an hour: a client that still holds the
    key set from before could not verify what they sign. `at_once`, for keys that leaked, replaces all three.
    """
    with keyfiles.locked(folder):
        if not (folder / INDEX).exists() or at_once:
            _write(folder, [_new(folder, alg, place, now) for alg in ALGORITHMS for place in ("current", "next")])
            return
        entries = read_entries(folder)
        newest = max(datetime.fromisoformat(each.made_at) for each in entries if each.place == "next")
        if now - newest < SEEN_BEFORE_USE:
            raise ConfigurationError("The next keys are published for less than an hour: rotate later, or --at-once.")
        kept = [_moved(each, now) for each in entries if not is_over(each, now)]
        _write(folder, [*kept, *(_new(folder, alg, "next", now) for alg in ALGORITHMS)])


def is_over(entry: Entry, now: datetime) -> bool:
    """Whether nothing that is still valid can have been signed with it."""
    return entry.place == "old" and now - datetime.fromisoformat(entry.retired_at) > KEPT_AFTER


def _complete(entries: tuple[Entry, ...]) -> bool:
    places = sorted((each.alg, each.place) for each in entries if each.place != "old")
    return places == sorted((alg, place) for alg in ALGORITHMS for place in ("current", "next"))


def _moved(entry: Entry, now: datetime) -> Entry:
    if entry.place == "next":
        return replace(entry, place="current")
    return replace(entry, place="old", retired_at=now.isoformat()) if entry.place == "current" else entry


def _new(folder: Path, alg: str, place: Literal["current", "next"], now: datetime) -> Entry:
    key: PrivateKey = RSAKey.generate_key(3072) if alg == "RS256" else ECKey.generate_key("P-256")
    key_id = secrets.token_hex(8)
    keyfiles.write_new(_path(folder, key_id), json.dumps(key.as_dict(private=True)) + "\n")
    return Entry(key_id, alg, place, now.isoformat())


def _write(folder: Path, entries: Iterable[Entry]) -> None:
    """In one step: a reader, or a machine that loses power, sees the old list or the new one."""
    fresh = folder / f"{INDEX}.{secrets.token_hex(4)}"
    listed: list[dict[str, Any]] = [asdict(each) for each in entries]
    keyfiles.write_new(fresh, json.dumps(listed, indent=2) + "\n")
    fresh.replace(folder / INDEX)
    keyfiles.sync(folder)


def _path(folder: Path, key_id: str) -> Path:
    return folder / f"sig-{key_id}.key"
