"""Strangers' checkers of FHIR, on every resource that the facade serves to an app: they find nothing."""

from __future__ import annotations

import pytest

from tests.clients.house import House
from tests.clients.python.run import run
from tests.clients.python.walk import token_of

MISTAKEN = [
    "datatype.invalid Binary.data",
    "terminology.required CapabilityStatement.format[1]",
    "terminology.required DiagnosticReport.status",
]
"""Where pyfhircheck is wrong about resources that are right: the reason of each is beside RIGHT in the program."""
ALWAYS = {"Patient", "ImagingStudy", "Endpoint", "Organization", "Consent"}
PAPERS = {"DiagnosticReport", "DocumentReference", "Binary"}


@pytest.mark.promise("B3")
@pytest.mark.clause("SMART 2.2 server", "417")
@pytest.mark.clause("FHIR R4", "3.1.0.1", "3.1.0.18", "3.1.1", "resource")
@pytest.mark.parametrize(
    ("username", "types"),
    [("grace", ALWAYS | PAPERS), ("dana", ALWAYS | {"RelatedPerson"})],
)
def test_strangers_find_nothing_in_what_is_served(house: House, username: str, types: set[str]) -> None:
    token = token_of(house, username)
    told = {"fhir": house.fhir, "token": token["access_token"], "patient": token["patient"]}
    found = run("checkers", told)
    assert types <= {name.partition("/")[0] for name in found["resources"]}
    assert found["brands"] == [
        "Organization/st-elsewhere", "Organization/north-clinic", "Endpoint/st-elsewhere"
    ]  # fmt: skip

    rust = found["fhirkit"]
    assert (rust["complaints"], rust["changed"]) == ([], [])
    assert rust["judged"] > len(found["resources"])

    python = found["pyfhircheck"]
    assert python["scan"]["complete"]
    assert python["scan"]["issues"] == []
    assert python["complaints"] == []
    plan = {type_: scenarios for type_, scenarios in python["plan"].items() if scenarios is not None}
    assert types <= set(plan)
    assert {(type_, name): faults for type_, each in plan.items() for name, faults in each.items() if faults} == {}
    assert all({"metadata", "read", "not-found", "json-negotiation"} <= set(each) for each in plan.values())
    assert all({"search", "paging"} <= set(plan[type_]) for type_ in types - {"Binary", "RelatedPerson"})

    # They do see faults where there are some, and where one sees what is none is known.
    assert rust["broken"] > 1
    assert python["broken"] > 1
    assert python["mistaken"] == MISTAKEN
