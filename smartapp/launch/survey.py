"""What an EHR says to everybody about itself, held against what we are configured to ask of it. Nobody's data."""

from collections.abc import Collection, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from smartapp.clock import Clock
from smartapp.errors import SmartappError
from smartapp.launch.client_auth import load_signing_key
from smartapp.launch.discovery import MAX_BYTES, PATH
from smartapp.launch.ehrs import Ehr
from smartapp.launch.scopes import is_offered
from smartapp.launch.strict_json import json_object
from smartapp.outbound.findings import Finding, State
from smartapp.settings import Provider

_SKEW: Final = (5, 60)
"""Seconds by which clocks may differ without a word, and at all (our checks of tokens allow 60)."""
_CAPABILITIES: Final = ("launch-ehr", "launch-standalone", "sso-openid-connect", "context-ehr-patient")
_TYPES: Final = ("Patient", "DiagnosticReport", "ImagingStudy")
_NEEDED: Final = frozenset({"Patient", "DiagnosticReport"})
_STATEMENT_BYTES: Final = 8 * 2**20


def survey(ehr: Ehr, clock: Clock) -> list[Finding]:
    """Findings beyond what a launch checks: client authentication, scopes, capabilities, FHIR types, the clock.

    Raises Upstream errors when the EHR does not answer at all.
    """
    provider = ehr.provider
    url = provider.iss.rstrip("/") + PATH
    answer = ehr.door.request("GET", url, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)
    found = [_clock(provider, answer.headers.get("date", ""), clock)]
    try:
        said = json_object(answer.body) if answer.status == 200 else {}
    except ValueError:
        said = {}
    return [*found, *_discovered(provider, said), *_fhir(ehr)] if said else found


def _discovered(provider: Provider, said: Mapping[str, Any]) -> Iterator[Finding]:
    yield _client_auth(provider, said)
    yield _scopes(provider, said.get("scopes_supported"))
    lacking = _lacking(_CAPABILITIES, said.get("capabilities"))
    yield _finding(provider, "capabilities", lacking, "SMART launch is offered as we use it", "not said to be offered")


def _scopes(provider: Provider, offered: Any) -> Finding:
    """The list is only recommended, and may hold less than an EHR knows (SMART App Launch 2.2, discovery)."""
    if not isinstance(offered, list):
        return Finding(f"scopes at {provider.id}", "look", "it does not say which it knows: a sign-in will tell")
    known = [each for each in offered if isinstance(each, str)]
    lacking = [each for each in provider.scopes if not is_offered(each, known)]
    return _finding(
        provider, "scopes", lacking, "those that we ask for are offered", "not in scopes_supported, may be refused"
    )


def _client_auth(provider: Provider, said: Mapping[str, Any]) -> Finding:
    """RFC 8414 §2 reads a missing list as client_secret_basic; EHRs leave it out and mean nothing by that."""
    name = f"client authentication at {provider.id}"
    offered = said.get("token_endpoint_auth_methods_supported")
    if provider.client_auth == "none":
        return Finding(name, "works", "none, as a public client")
    if offered is None:
        return Finding(name, "look", f"it does not say whether it takes {provider.client_auth}: a sign-in will tell")
    if provider.client_auth not in offered:
        return Finding(name, "fails", f"{provider.client_auth} is not offered: client_auth can be {_words(offered)}")
    if provider.client_auth != "private_key_jwt":
        return Finding(name, "works", provider.client_auth)
    algorithms = said.get("token_endpoint_auth_signing_alg_values_supported", ["RS384", "ES384"])
    alg = load_signing_key(provider).alg
    if alg not in algorithms:
        return Finding(name, "fails", f"our key signs {alg}, which is not offered: make one for {_words(algorithms)}")
    return Finding(name, "works", f"private_key_jwt with {alg}")


def _fhir(ehr: Ehr) -> list[Finding]:
    """The CapabilityStatement (FHIR R4 http.html#capabilities), which servers give to everybody."""
    name = f"FHIR of {ehr.provider.id}"
    url, accept = ehr.provider.iss.rstrip("/") + "/metadata", {"Accept": "application/fhir+json"}
    try:
        statement = json_object(ehr.door.request("GET", url, headers=accept, max_bytes=_STATEMENT_BYTES).body)
        offered = {each["type"]: each for rest in statement["rest"] for each in rest["resource"]}
        version = str(statement["fhirVersion"])
    except (SmartappError, ValueError, KeyError, TypeError):
        return [
            Finding(name, "look", "its CapabilityStatement cannot be read: what it holds will be seen at a sign-in")
        ]
    return [_resources(name, version, offered), *_consents(ehr.provider, offered.get("Consent"))]


def _resources(name: str, version: str, types: Collection[str]) -> Finding:
    if not version.startswith("4."):
        return Finding(name, "fails", f"it speaks FHIR {version}; we speak R4 (4.0.1): look for its R4 address")
    absent = [each for each in _TYPES if each not in types]
    if _NEEDED & set(absent):
        return Finding(name, "fails", f"it has no {_words(absent)}")
    extra = "" if not absent else "; without ImagingStudy studies are found in the PACS by the record numbers"
    return Finding(name, "works", f"FHIR {version}{extra}")


def _consents(provider: Provider, offered: Any) -> Iterator[Finding]:
    """Where Consents are to be obeyed, and cannot be searched for, apps get nothing."""
    name = f"Consent at {provider.id}"
    if provider.consent == "none":
        yield Finding(name, "look", 'consent = "none": refusals that patients left at the EHR are not asked for')
        return
    listed = offered.get("interaction") if isinstance(offered, dict) else None
    codes = {each.get("code") for each in listed if isinstance(each, dict)} if isinstance(listed, list) else set()
    if offered is None or (codes and "search-type" not in codes):
        yield Finding(
            name, "fails", 'it cannot be searched: apps will get nothing; have it offered, or consent = "none"'
        )
    elif not codes:
        yield Finding(name, "look", "it does not say that it can be searched: a sign-in will tell")
    else:
        yield Finding(name, "works", "can be searched, and is obeyed")


def _clock(provider: Provider, date: str, clock: Clock) -> Finding:
    name = f"clock of {provider.id}"
    try:
        skew = abs((parsedate_to_datetime(date) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return Finding(name, "look", "it does not say what time it is (no Date): compare its clock with ours")
    state: State = "works" if skew <= _SKEW[0] else "look" if skew <= _SKEW[1] else "fails"
    advice = "" if state == "works" else ": set the clocks by NTP, or tokens will be refused"
    return Finding(name, state, f"differs from ours by {skew:.0f} s{advice}")


def _lacking(wanted: tuple[str, ...], offered: Any) -> list[str]:
    return [each for each in wanted if each not in (offered if isinstance(offered, list) else [])]


def _finding(provider: Provider, what: str, lacking: list[str], good: str, bad: str) -> Finding:
    name = f"{what} at {provider.id}"
    return Finding(name, "look", f"{bad}: {_words(lacking)}") if lacking else Finding(name, "works", good)


def _words(values: Any) -> str:
    """What an EHR says is shown in part, and without anything that could move a terminal's cursor."""
    shown = [str(value)[:80] for value in values][:12] if isinstance(values, list) else []
    return "".join(sign for sign in ", ".join(shown) if sign.isprintable()) or "nothing"
