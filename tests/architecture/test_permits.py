"""No function that reads patient data can be called without a Permit, and nobody but `access` can make one."""

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import smartapp
from smartapp.consent.model import SEAL, IndexPermit, Permit, SignInPermit
from smartapp.identity.model import PatientKey

PERMITS = {Permit, IndexPermit, SignInPermit}
OPERATORS = ("brands.py", "diagnosis.py", "setup/origins.py")
READERS = ("smartapp.fhir.upstream.service", "smartapp.dicomweb.upstream.service")


def _public_methods(module: ModuleType) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ != module.__name__ or not name.endswith("Reader"):
            continue
        for method_name, method in inspect.getmembers(kind, inspect.isfunction):
            if not method_name.startswith("_"):
                yield f"{name}.{method_name}", method


@pytest.mark.promise("E1")
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_patient_data_takes_a_permit_first(reader: str) -> None:
    methods = list(_public_methods(importlib.import_module(reader)))
    assert methods, f"{reader} holds no reader: this test would show nothing"
    for name, method in methods:
        first = list(inspect.signature(method).parameters)[1]
        hint = typing.get_type_hints(method)[first]
        kinds = set(typing.get_args(hint)) or {hint}
        assert kinds <= PERMITS, f"{name}({first}: {hint})"


@pytest.mark.promise("E1")
def test_nothing_but_the_readers_and_what_needs_no_patient_opens_a_door_to_the_network() -> None:
    root = Path(smartapp.__file__).parent
    openers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "for_origins(" in path.read_text() and not path.is_relative_to(root / "outbound")
    }
    readers = {"fhir/upstream/fetch.py", "dicomweb/upstream/service.py"}
    without_patients = {"launch/ehrs.py", "dicomweb/upstream/survey.py", *(f"bootstrap/{each}" for each in OPERATORS)}
    assert openers == readers | without_patients


@pytest.mark.promise("E1")
@pytest.mark.threat("P12")
def test_the_door_to_addresses_that_strangers_named_is_for_apps_keys_and_pictures_alone() -> None:
    """`bootstrap` opens it for who fetches key sets and logos of registrations: no patient's data is near."""
    root = Path(smartapp.__file__).parent
    written = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.py")}
    ours = {name: source for name, source in written.items() if not name.startswith("outbound/")}
    openers = {name for name, source in ours.items() if "for_public(" in source}
    assert openers == {"bootstrap/__init__.py", "bootstrap/apps.py"}
    holders = {name for name, source in ours.items() if re.search(r"\b(PublicDoor|public_door)\b", source)}
    keys = {"authserver/client_auth/key_sets.py", "authserver/client_auth/assertion/keys.py"}
    logos = {"jobs/logos.py", "exchange/developers/logo.py"}
    assert holders == {"web/parts.py", "bootstrap/__init__.py"} | keys | logos
    for name in keys | logos:
        assert not re.search(r"\b(Permit|PatientKey|FhirReader|PacsReader|Records)\b", ours[name]), name


@pytest.mark.promise("E1")
@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (SignInPermit, {"provider": "p", "patient_id": "1", "credential_id": "c"}),
        (IndexPermit, {"patient": PatientKey("p", "1"), "credential_id": "c"}),
    ],
)
def test_a_permit_cannot_be_made_without_the_seal(kind: Callable[..., object], facts: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        kind(seal=object(), **facts)
    assert kind(seal=SEAL, **facts)


@pytest.mark.promise("E1")
def test_the_seal_is_used_by_the_mint_alone() -> None:
    root = Path(smartapp.__file__).parent
    users = {str(path.relative_to(root)) for path in root.rglob("*.py") if re.search(r"\bSEAL\b", path.read_text())}
    assert users == {"consent/model.py", "consent/mint.py"}
