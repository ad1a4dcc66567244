"""Key files on disk: written once with mode 0600, refused when anybody else can read them."""

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from smartapp.errors import KeysUnavailable
from smartapp.security.envelope import KEY_BYTES

INDEX: Final = "keyring.json"
Kind = Literal["kek", "mac"]
_ID = re.compile(r"[a-z0-9]{1,32}")


class UnusableKey(KeysUnavailable):
    """A key cannot be used. `sentence` says what to do, and names files, never their content."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Index:
    """What `keyring.json` says: which key-encryption key is current, which still open old data, and the hash key."""

    current: str
    retired: tuple[str, ...]
    mac: str


def read_index(folder: Path) -> Index:
    """The folder's index. Raises UnusableKey when it is missing or not ours."""
    try:
        with (folder / INDEX).open("r", encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = json.load(file)
        index = Index(current=raw["current"], retired=tuple(raw["retired"]), mac=raw["mac"])
        usable = all(_ID.fullmatch(key_id) for key_id in (index.current, index.mac, *index.retired))
    except FileNotFoundError as error:
        raise UnusableKey(f"No keys in {folder}: run `smartapp keys init`, or correct [keys] dir.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableKey(f"{folder / INDEX} cannot be read: restore it from the backup of the keys.") from error
    if mode & 0o022:
        raise UnusableKey(f"{folder / INDEX} can be changed by others: run `chmod 600 {folder / INDEX}`.")
    if not usable:
        raise UnusableKey(f"{folder / INDEX} names a key that is no key id: restore it from the backup of the keys.")
    return index


def write_index(folder: Path, index: Index) -> None:
    """Replace the index in one step: a reader, or a machine that loses power, sees the old or the new one."""
    fresh = folder / f"{INDEX}.{secrets.token_hex(4)}"
    write_new(fresh, json.dumps(asdict(index), indent=2) + "\n")
    fresh.replace(folder / INDEX)
    sync(folder)


def read_key(folder: Path, kind: Kind, key_id: str) -> bytes:
    """The 32 bytes of one key file. Raises UnusableKey when missing, readable by others, short, or a placeholder."""
    path = folder / f"{kind}-{key_id}.key"
    try:
        with path.open("r", encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = bytes.fromhex(file.read(4 * KEY_BYTES).strip())
    except OSError as error:
        raise UnusableKey(f"{path} cannot be read: restore it from the backup of the keys.") from error
    except ValueError as error:
        raise UnusableKey(f"{path} holds no key: restore it from the backup of the keys.") from error
    if mode & 0o077:
        raise UnusableKey(f"{path} can be read by others: run `chmod 600 {path}`, and rotate if it may have been.")
    if len(secret) != KEY_BYTES or len(set(secret)) == 1:
        raise UnusableKey(
            f"{path} holds a placeholder or a cut key: restore it, or run `smartapp keys init` elsewhere."
        )
    return secret


def new_key(folder: Path, kind: Kind) -> str:
    """Write a new key file; its id."""
    key_id = secrets.token_hex(4)
    write_new(folder / f"{kind}-{key_id}.key", secrets.token_hex(KEY_BYTES) + "\n")
    return key_id


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One writer at a time: two rotations at once would drop one's key from the index, and with it the data."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, with mode 0600; it is on the disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """A name that was just replaced in `folder` is on the disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
