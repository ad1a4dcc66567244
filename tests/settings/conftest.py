import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from smartapp.settings import Settings, load
from tests.support.toml import write_toml

CONFIG = Path(__file__).parents[2] / "config"
SECRETS = ("private_key_file", "dicomweb_password_file")


@dataclass
class Configuration:
    """The shipped configuration, in a folder of its own, with its secrets there; tests spoil it and load it."""

    folder: Path
    app: dict[str, Any]
    providers: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> dict[str, Any]:
        (provider,) = self.providers["provider"]
        assert isinstance(provider, dict)
        return provider

    def load(self) -> Settings:
        (self.folder / "smartapp.toml").write_text(write_toml(self.app))
        (self.folder / "providers.toml").write_text(write_toml(self.providers))
        return load(self.folder / "smartapp.toml", self.environ)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    app, providers = (tomllib.loads((CONFIG / name).read_text()) for name in ("smartapp.toml", "providers.toml"))
    made = Configuration(tmp_path, app, providers)
    for name in SECRETS:
        path = tmp_path / name
        path.write_text("a real secret\n")
        path.chmod(0o600)
        made.provider[name] = name
    shutil.copy(CONFIG / "jurisdictions.toml", tmp_path)
    return made


Spoil = Callable[[Configuration], Mapping[str, Any] | None]
