"""What a grant comes to, said as scopes as well as they can say it (wire.md, "we"). Pure.

The grant is the truth: each request is judged by its terms too. So a statement may be wider than the grant, where
scopes cannot say it, and is never narrower.
"""

from collections.abc import Callable, Iterable
from typing import Final

from smartapp.consent.bodysites import SNOMED
from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.algebra import narrowed
from smartapp.consent.scopes.grammar import filters_of
from smartapp.consent.scopes.model import ANY_TYPE, Filter, ResourceScope, Scopes
from smartapp.consent.scopes.parameters import understood

MOST_STUDIES: Final = 20
"""Studies that a scope names; more would make the token's answer too large for some clients."""

REPORT_TYPES: Final = frozenset({"DiagnosticReport", "DocumentReference", "Binary"})
"""The resource types that reports come as: a grant without reports reaches none of them."""

_TYPES: Final = (
    "AuditEvent",
    "Binary",
    "Consent",
    "DiagnosticReport",
    "DocumentReference",
    "Endpoint",
    "ImagingStudy",
    "Organization",
    "Patient",
    "Practitioner",
    "RelatedPerson",
)
"""What `*` comes to here, where it has to be told apart. A wildcard itself can carry no filter."""


def statement(scopes: Scopes, terms: Terms, shown: Callable[[str], str]) -> Scopes:
    """`scopes`, narrowed to `terms`: by studies (with UIDs as `shown`), kinds, parts of the body and dates, and without
    reports if there are to be none. Words stay, and so does v1 form wherever nothing was narrowed.
    """
    filters = _filters(terms, shown)
    said = (one for scope in scopes.resources for one in _told_apart(scope, bool(filters) or not terms.reports))
    kept = frozenset(one for scope in said if (one := _narrowed(scope, terms, filters)) is not None)
    return Scopes(kept, scopes.words, v1=scopes.v1 and bool(kept))


def _told_apart(scope: ResourceScope, needed: bool) -> Iterable[ResourceScope]:  # noqa: FBT001 - of one caller
    if scope.type != ANY_TYPE or not needed:
        return (scope,)
    return (ResourceScope(scope.level, type_, scope.letters) for type_ in _TYPES)


def _narrowed(scope: ResourceScope, terms: Terms, filters: tuple[Filter, ...]) -> ResourceScope | None:
    if scope.type in REPORT_TYPES and not terms.reports:
        return None
    if scope.type != "ImagingStudy":
        return scope
    nothing = terms.chosen is not None and not terms.chosen
    return None if nothing else narrowed(scope, *filters)


def _filters(terms: Terms, shown: Callable[[str], str]) -> tuple[Filter, ...]:
    """Only those all of whose values a scope can hold: a list without one of them would be narrower than the grant."""
    chosen = terms.chosen if terms.chosen is not None and len(terms.chosen) <= MOST_STUDIES else frozenset()
    pairs = [
        ("identifier", [f"urn:oid:{shown(uid)}" for uid in chosen]),
        ("modality", sorted(terms.modalities)),
        ("bodysite", [f"{SNOMED}|{code}" if code.isdecimal() else code for code in terms.body_sites]),
        ("started", [f"ge{terms.started_from.isoformat()}"] if terms.started_from else []),
        ("started", [f"le{terms.started_to.isoformat()}"] if terms.started_to else []),
    ]
    return filters_of((name, values) for name, values in pairs if values and _can_be_said(name, values))


def _can_be_said(name: str, values: Iterable[str]) -> bool:
    return all("," not in value and understood("ImagingStudy", name, value) for value in values)
