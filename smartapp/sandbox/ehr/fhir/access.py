"""What one access token reaches: its scopes, turned into rights over resources (SMART App Launch 2.2 §3.0.2)."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smartapp.sandbox.ehr.fhir.errors import FhirError, insufficient
from smartapp.sandbox.ehr.fhir.matching import matches
from smartapp.sandbox.ehr.fhir.parameters import COMPARTMENT, patient_of
from smartapp.sandbox.ehr.fhir.query import Backend, Query, View
from smartapp.sandbox.ehr.resources.common import Resource
from smartapp.sandbox.ehr.scopes import Scope, parse_scope
from smartapp.sandbox.ehr.state import Token
from smartapp.sandbox.world import Hospital


@dataclass(frozen=True)
class Access:
    """The rights of a token. `patients` by level: whose records; None is everybody's. `own` is the fhirUser, if it may be read."""  # noqa: E501 - one sentence

    scopes: tuple[Scope, ...]
    patients: dict[str, frozenset[str] | None]
    own: str | None
    zone: ZoneInfo

    def may(self, type_: str, letter: str) -> list[Scope]:
        """The scopes that say `letter` for a type; several are a union. FhirError 403 if there is none."""
        found = [scope for scope in self.scopes if scope.allows(type_, letter)]
        if not found:
            raise insufficient("The token's scope does not cover this.")
        return found

    def sees(self, resource: Resource, letters: str) -> bool:
        """Whether any scope with one of these letters reaches this very resource."""
        type_ = resource["resourceType"]
        scopes = [scope for scope in self.scopes if any(scope.allows(type_, letter) for letter in letters)]
        return any(self._reaches(scope, resource) for scope in scopes)

    def view(self, query: Query) -> View:
        """What a search may find. FhirError 403 without an `s` scope, or if it names another patient."""
        scopes = self.may(query.type, "s")
        reached = [self.patients[scope.level] for scope in scopes]
        known = [patients for patients in reached if patients is not None]
        everybody = len(known) < len(reached)
        patients = None if everybody else frozenset().union(*known)
        if patients is not None and not query.patients() <= patients:
            raise insufficient("The token does not reach this patient.")
        return View(
            patients if query.type in COMPARTMENT else None,
            lambda item: self.sees(item, "s"),
            lambda item: self.sees(item, "rs"),
            filtered=any(scope.filters for scope in scopes),
        )

    def check_read(self, type_: str, resource: Resource | None) -> Resource:
        """The resource, if the token may read it; FhirError 403 if not, 404 if there is none."""
        if resource is not None and f"{type_}/{resource['id']}" == self.own:
            return resource
        self.may(type_, "r")
        if resource is None:
            raise FhirError(404, "not-found", "There is no such resource.")
        if not self.sees(resource, "r"):
            raise insufficient("The token does not reach this resource.")
        return resource

    def _reaches(self, scope: Scope, resource: Resource) -> bool:
        patients = self.patients[scope.level]
        within = patients is None or resource["resourceType"] not in COMPARTMENT or patient_of(resource) in patients
        return within and all(matches(resource, name, value, self.zone) for name, value in scope.filters)


def access_of(token: Token, backend: Backend, hospital: Hospital) -> Access:
    """The rights that a live token gives at this hospital; a record reaches those that were merged into it."""
    grant = token.grant
    launched = [grant.patient, *hospital.person(grant.patient).replaces] if grant.patient else []
    own = (
        backend.reference(grant.user.fhir_user) if grant.user and {"openid", "fhirUser"} <= set(token.scopes) else None
    )
    return Access(
        tuple(scope for scope in map(parse_scope, token.scopes) if scope),
        {
            "patient": _ids(backend, launched),
            "user": _ids(backend, grant.user.patients if grant.user else ()),
            "system": None,
        },
        own,
        ZoneInfo(hospital.timezone),
    )


def _ids(backend: Backend, patients: tuple[str, ...] | list[str]) -> frozenset[str]:
    return frozenset(backend.reference(f"Patient/{patient}").rpartition("/")[2] for patient in patients)
