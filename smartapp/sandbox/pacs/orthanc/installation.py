"""Finds Orthanc on this machine, and builds what it needs to run safely."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PLACES = ("/usr/sbin", "/usr/local/sbin")
_PLUGIN_FOLDERS = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins")
_PLUGINS = ("libOrthancDicomWeb.so", "libOrthancGdcm.so")
_SHIM = Path(__file__).with_name("shim.c")


@dataclass(frozen=True)
class Installation:
    """Orthanc's program and plugins, and the C compiler for the shim."""

    program: Path
    plugins: tuple[Path, ...]
    compiler: Path

    def compile_shim(self, folder: Path) -> Path:
        """Builds the shim into `folder`; CalledProcessError if the compiler fails."""
        folder.mkdir(parents=True, exist_ok=True)
        built = folder / "orthanc-shim.so"
        subprocess.run(
            [self.compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", built, _SHIM, "-ldl"],
            check=True,
            capture_output=True,
        )
        return built

    def version(self) -> str:
        """A short text that changes with the program."""
        state = self.program.stat()
        return hashlib.sha256(f"{state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:8]


def find_orthanc() -> Installation | None:
    """The installation, or None if the program, a plugin or the compiler is missing: `missing` says which."""
    program, compiler = _program(), shutil.which("gcc")
    plugins = tuple(path for name in _PLUGINS if (path := _plugin(name)))
    if program is None or compiler is None or len(plugins) < len(_PLUGINS):
        return None
    return Installation(program, plugins, Path(compiler))


def missing() -> str:
    """What keeps Orthanc from running here, in words, for a skipped test or a refused start."""
    lacking = [name for name in _PLUGINS if _plugin(name) is None]
    if _program() is None:
        lacking.insert(0, "Orthanc (Debian: orthanc, orthanc-dicomweb, orthanc-gdcm)")
    if shutil.which("gcc") is None:
        lacking.append("gcc")
    return f"not installed: {', '.join(lacking)}"


def _program() -> Path | None:
    found = shutil.which("Orthanc") or shutil.which("Orthanc", path=":".join(_PLACES))
    return Path(found) if found else None


def _plugin(name: str) -> Path | None:
    return next((path for folder in _PLUGIN_FOLDERS if (path := Path(folder, name)).is_file()), None)
