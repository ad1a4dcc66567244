"""The files of a new installation, which nobody but their owner reads."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from smartapp.bootstrap.setup.answers import SYSTEM_SCOPES, Answers, Hospital
from smartapp.bootstrap.setup.origins import needed


def write_private(path: Path, text: str) -> Path:
    """Writes a file with mode 0600 from its first byte on, in place of what was there at once; its path."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return fresh.replace(path)


def signing_key(folder: Path, hospital: Hospital) -> Path:
    """The key by which the EHR knows us: EC P-384 for ES384. One that is there is kept: the EHR may know it."""
    path = folder / "secrets" / f"{hospital.id}.jwk"
    if not path.exists():
        key = ECKey.generate_key("P-384", private=True)
        made = ECKey.import_key({**key.as_dict(private=True), "kid": f"{hospital.id}-{key.thumbprint()[:8]}"})
        write_private(path, json.dumps({**made.as_dict(private=True), "alg": "ES384", "use": "sig"}) + "\n")
    return path


def smartapp_toml(answers: Answers, providers: str) -> str:
    """`smartapp.toml`, with what was answered; all else has its default."""
    site = answers.site
    database = site.database or f"sqlite:///{site.data}/smartapp.db"
    return "\n".join(
        (
            "# Made by `smartapp init`. config/smartapp.toml of the source lists every setting, with its default.",
            _table("server", {"base_url": site.base_url, "port": site.port}),
            _table("database", {"url": database}),
            "# Checked images, encrypted. Can be emptied at any time.",
            _table("storage", {"cache_dir": f"{site.data}/cache", "checkpoint": f"{site.data}/checkpoint"}),
            "# Back these up, apart from the database: together they open everything.",
            _table("keys", {"dir": "keys"}),
            _table("providers", {"file": providers}),
            *([_table("jurisdictions", {"file": site.jurisdictions})] if site.jurisdictions is not None else []),
            _table("environment", {"name": site.environment}),
            "# Without [mail] nobody is told of sign-ins: see config/smartapp.toml.",
            "",
        )
    )


def providers_toml(answers: Answers, folder: Path) -> str:
    """`providers.toml`: one [[provider]] for each hospital."""
    head = "# Made by `smartapp init`. config/providers.toml of the source explains every setting.\n"
    return head + "\n".join(table for hospital in answers.hospitals for table in _tables(hospital, folder))


def _tables(hospital: Hospital, folder: Path) -> Iterator[str]:
    yield _table("[provider]", _provider(hospital, folder))
    if hospital.website:
        yield _table("provider.brand", {"website": hospital.website})


def _provider(hospital: Hospital, folder: Path) -> dict[str, Any]:
    """In the order of the explained file; what was not answered is left out and has its default."""
    said = vars(hospital) | {"trusted_origins": (*needed(hospital), *hospital.trusted_origins)}
    if hospital.client_auth == "private_key_jwt":
        said["private_key_file"] = signing_key(folder, hospital)
    if hospital.system_client_id:
        said["system_scopes"] = hospital.system_scopes or SYSTEM_SCOPES
        if hospital.client_auth != "private_key_jwt":
            said["system_private_key_file"] = signing_key(folder, hospital)
    said["trusted_origins"] = tuple(dict.fromkeys(said["trusted_origins"]))
    del said["website"]
    return {name: value for name, value in said.items() if value not in ("", None, ())}


def _table(name: str, values: Mapping[str, Any]) -> str:
    """Strings, numbers and lists of strings are written in TOML as in JSON."""
    lines = (f"{key} = {json.dumps(_plain(value), ensure_ascii=False)}" for key, value in values.items())
    return "\n".join((f"[{name}]", *lines)) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value.resolve()) if isinstance(value, Path) else value
