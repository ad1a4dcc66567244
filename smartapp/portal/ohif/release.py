"""OHIF as its makers publish it: which of its files we serve, and the two that its page begins with."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smartapp.errors import ConfigurationError

_SCRIPT: Final = re.compile(r'src="/(app\.bundle\.[0-9a-f]{16}\.js)"')
_STYLE: Final = re.compile(r'href="/(app\.bundle\.css)"')
_SERVED: Final = re.compile(
    r"(?:[\w-]+\.)*[\w-]+\.(?:js|css|wasm|woff2|svg)"
    r"|assets/[\w/-]+\.(?:png|svg|ico)"
    r"|dicom-microscopy-viewer/[\w.-]+\.(?:js|wasm)",
    re.ASCII,
)
# Its own configuration points at a public cloud; the others sign in elsewhere, or stay in the browser after its end.
_WITHHELD: Final = frozenset({"app-config.js", "google.js", "oidc-client.min.js", "init-service-worker.js", "sw.js"})
_LARGEST_WORKER: Final = 2 * 2**20
_LASTING: Final = re.compile(r"(?:[\w-]+\.)*bundle\.[0-9a-f]{16}\.js|[0-9a-f]{16}\.(?:wasm|woff2)", re.ASCII)


@dataclass(frozen=True)
class Release:
    """An unpacked OHIF: its folder, the names of its first script and style sheet, and of the worker that decodes."""

    folder: Path
    script: str
    style: str
    decoder: str

    def serves(self, path: str) -> bool:
        """Whether a path below the root is one of OHIF's files that we give out."""
        return bool(_SERVED.fullmatch(path)) and path not in _WITHHELD and (self.folder / path).is_file()

    def lasts(self, path: str) -> bool:
        """Whether the name changes with the content, so that browsers may keep it."""
        return bool(_LASTING.fullmatch(path))


def read_release(folder: Path) -> Release:
    """The OHIF in `folder`. Raises ConfigurationError if it is none that we know how to start."""
    try:
        page = (folder / "index.html").read_text("utf-8")
    except OSError:
        raise ConfigurationError(
            f"[ohif] dir {folder} holds no OHIF: run `make ohif`, and name its dist there."
        ) from None
    script, style, decoders = _SCRIPT.search(page), _STYLE.search(page), _decoders(folder)
    if script is None or style is None or len(decoders) != 1:
        raise ConfigurationError(f"[ohif] dir {folder} holds an OHIF that this version does not know.")
    return Release(folder.resolve(), script[1], style[1], decoders[0])


def _decoders(folder: Path) -> list[str]:
    """The bundles with a JPEG-LS decoder: names of bundles change with every release."""
    bundles = (path for path in folder.glob("*.bundle.*.js") if path.stat().st_size < _LARGEST_WORKER)
    return [path.name for path in bundles if b"CharLSWASM" in path.read_bytes()]
