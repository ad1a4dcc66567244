"""What is really in a copy: counted and hashed as it is written."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from smartapp.exchange.copies.zip_stream import Member

FILE: Final = "manifest.json"


class Manifest:
    """The list of a copy's files with their SHA-256, and of what should be there and is not."""

    def __init__(self) -> None:
        self._files: list[dict[str, Any]] = []
        self.missing: list[str] = []
        """Paths of what could not be had; said here and in the README, never left out in silence."""

    @property
    def files(self) -> int:
        """How many are written."""
        return len(self._files)

    @property
    def size(self) -> int:
        """Their bytes together."""
        return sum(each["size"] for each in self._files)

    def listed(self, path: str, chunks: Iterable[bytes], uids: Mapping[str, str] | None = None) -> Member:
        """The file as a member that enters itself here when all of it has passed."""
        return Member(path, self._hashed(path, chunks, uids or {}))

    def _hashed(self, path: str, chunks: Iterable[bytes], uids: Mapping[str, str]) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        self._files.append({"path": path, "size": size, "sha256": digest.hexdigest(), **uids})

    def written(self, made_at: datetime, studies: Sequence[Mapping[str, Any]]) -> bytes:
        """The manifest as JSON: of every file but itself. `made_at` is UTC."""
        document = {
            "schema": 1,
            "made_at": made_at.isoformat(timespec="seconds"),
            "hash": "SHA-256",
            "studies": list(studies),
            "missing": self.missing,
            "files": self._files,
        }
        return json.dumps(document, ensure_ascii=False, indent=1).encode()
