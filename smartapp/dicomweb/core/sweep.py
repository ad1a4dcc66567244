"""Makes room in the cache's folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from smartapp.settings import Storage

_PART_AGE: Final = 6 * 3600
"""After so many seconds a file that was never finished belongs to a worker that is gone."""
_FILL: Final = 0.9
"""How full a cache that was too large is left, so that the next write does not sweep again."""


def sweep(storage: Storage, now: float) -> None:
    """Removes what is too old, and then, if the rest is more than may be, what was not used for longest.

    `now` is a POSIX time. It lists the folder (some 50 ms for 20,000 files); files that others remove meanwhile are
    none of its business.
    """
    kept: list[tuple[float, int, str]] = []
    for path, about in _files(storage.cache_dir):
        too_old = _PART_AGE if path.endswith(".part") else storage.cache_max_age
        if now - about.st_mtime > too_old:
            _remove(path)
        else:
            kept.append((about.st_atime, about.st_size, path))
    total = sum(size for _, size, _ in kept)
    if total <= storage.cache_max_bytes:
        return
    for _, size, path in sorted(kept):
        if total <= storage.cache_max_bytes * _FILL:
            return
        _remove(path)
        total -= size


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with contextlib.suppress(OSError), os.scandir(folder) as shelves:
        for shelf in shelves:
            yield from _shelf(shelf)


def _shelf(shelf: "os.DirEntry[str]") -> Iterator[tuple[str, os.stat_result]]:
    with contextlib.suppress(OSError), os.scandir(shelf.path) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                yield entry.path, entry.stat(follow_symlinks=False)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - a string from scandir; ten thousand Path objects would double the time
