"""The types that are served, and which right of a token opens each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smartapp.consent.model import AppPrincipal
from smartapp.consent.reach import Reach
from smartapp.errors import NotFound, ScopeMissing


@dataclass(frozen=True)
class Served:
    """A type: whether it is read and searched, and the types whose scopes open it beside its own."""

    type: str
    searched: bool = True
    also: tuple[str, ...] = ()
    own: bool = True
    """False where a scope for the type itself opens nothing."""
    needs: tuple[str, ...] = ()
    """Types whose scopes are needed besides: a file of a report is no more open than the report."""


_ALL: Final = (
    Served("Patient"),
    Served("ImagingStudy"),
    Served("DiagnosticReport"),
    Served("DocumentReference", needs=("DiagnosticReport",)),
    Served("Binary", searched=False, also=("DiagnosticReport",), own=False),
    Served("Endpoint", also=("ImagingStudy",)),
    Served("Organization"),
    Served("Practitioner"),
    Served("RelatedPerson", searched=False, own=False),
    Served("Consent"),
    Served("AuditEvent"),
)
SERVED: Final[Mapping[str, Served]] = {each.type: each for each in _ALL}


def served(type_: str, *, search: bool = False) -> Served:
    """NotFound for a type that is not served, or not searched."""
    found = SERVED.get(type_)
    if found is None or (search and not found.searched):
        raise NotFound("fhir-type")
    return found


def may(reach: Reach, type_: str, letter: str) -> bool:
    """Whether the token holds this kind of right for the type, whatever there is."""
    found = SERVED[type_]
    own = (type_,) if found.own else ()
    one = any(reach.may(each, letter) for each in (*own, *found.also))
    return one and all(reach.may(each, letter) for each in found.needs)


def require(reach: Reach, type_: str, letter: str) -> None:
    """ScopeMissing where the token lacks this kind of right: said of every id alike."""
    if not may(reach, type_, letter):
        raise ScopeMissing(f"{type_}.{letter}")


def names_user(principal: AppPrincipal, fhir_user: str, type_: str, id_: str) -> bool:
    """Whether it is who granted, and the token may learn who that is (SMART App Launch 2.2, `fhirUser`)."""
    return "fhirUser" in principal.scopes.words and fhir_user.split("/")[-2:] == [type_, id_]


def of_user_alone(principal: AppPrincipal, fhir_user: str, type_: str) -> bool:
    """Whether the type is open to the token for who granted: anybody else of it is absent, and no scope would help."""
    return not SERVED[type_].own and names_user(principal, fhir_user, type_, fhir_user.rpartition("/")[2])
