"""From answers to files that the product can be served with: checked before they take their place."""

from dataclasses import replace
from pathlib import Path

from smartapp.bootstrap.setup.answers import Answers
from smartapp.bootstrap.setup.files import providers_toml, smartapp_toml, write_private
from smartapp.clock import SystemClock
from smartapp.db import schema
from smartapp.db.engine import make_engine
from smartapp.errors import ConfigurationError
from smartapp.security.keyring import Keyring
from smartapp.settings import Settings, load
from smartapp.tokens import signing_files

CONFIG = "smartapp.toml"
_PROVIDERS = "providers.toml"


def occupied(folder: Path) -> bool:
    """Whether there is a configuration already."""
    return any((folder / name).exists() for name in (CONFIG, _PROVIDERS))


def install(answers: Answers, folder: Path) -> Settings:
    """Writes configuration, signing keys and key files into `folder`, and brings the tables up.

    Keys and secrets that are there are kept. Raises ConfigurationError, with nothing replaced, when the answers would
    not do: a placeholder, an address without https, a secret that everybody can read.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / answers.site.data).mkdir(mode=0o700, parents=True, exist_ok=True)
    answers = _in(folder, answers)
    providers = providers_toml(answers, folder)
    _check(folder, smartapp_toml(answers, f"draft-{_PROVIDERS}"), providers)
    write_private(folder / _PROVIDERS, providers)
    write_private(folder / CONFIG, smartapp_toml(answers, _PROVIDERS))
    settings = load(folder / CONFIG, {})
    _make_keys(settings.keys.dir)
    engine = make_engine(settings.database)
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()
    return settings


def for_the_ehr(settings: Settings) -> list[str]:
    """What an EHR's administrator has to be told, in lines."""
    base = settings.server.base_url
    lines = [f"launch address       {base}/launch", f"redirect address     {base}/callback"]
    if any(each.client_auth == "private_key_jwt" or each.system_client_id for each in settings.providers):
        lines.append(f"JWK set address      {base}/.well-known/jwks.json")
    return lines


def _in(folder: Path, answers: Answers) -> Answers:
    """SQLite wants an absolute path: a relative one would mean another file in each working directory."""
    return replace(answers, site=replace(answers.site, data=str(folder / answers.site.data)))


def _check(folder: Path, config: str, providers: str) -> None:
    drafts = (folder / f"draft-{CONFIG}", folder / f"draft-{_PROVIDERS}")
    try:
        for path, text in zip(drafts, (config, providers), strict=True):
            write_private(path, text)
        load(drafts[0], {})
    finally:
        for path in drafts:
            path.unlink(missing_ok=True)


def _make_keys(folder: Path) -> None:
    """Never over keys that are there: what they sealed would be lost."""
    try:
        Keyring.create(folder)
    except ConfigurationError:
        Keyring.load(folder)
    if not (folder / signing_files.INDEX).exists():
        signing_files.rotate(folder, SystemClock().now())
