"""The scope string of an answer says as much of the grant as it can, and never less than it allows."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from smartapp.consent.facts import StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.algebra import contains
from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.statement import MOST_STUDIES, statement
from tests.consent import archive
from tests.consent.archive import Ask, leaves, report, written


def said(asked: str, **terms: object) -> str:
    scopes = parse(asked)
    return text(statement(scopes, Terms(scopes=scopes, **terms), lambda uid: f"2.25.{uid}"))  # type: ignore[arg-type]  # of the field's own


@pytest.mark.promise("B2")
@pytest.mark.clause("SMART 2.2 server", "78", "79", "145")
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, "patient/ImagingStudy.rs"),
        ({"modalities": frozenset({"MR", "CT"})}, "patient/ImagingStudy.rs?modality=CT,MR"),
        ({"body_sites": frozenset({"51185008"})}, "patient/ImagingStudy.rs?bodysite=http://snomed.info/sct|51185008"),
        ({"chosen": frozenset({"9", "8"})}, "patient/ImagingStudy.rs?identifier=urn:oid:2.25.8,urn:oid:2.25.9"),
        (
            {"started_from": date(2024, 1, 1), "started_to": date(2024, 12, 31)},
            "patient/ImagingStudy.rs?started=ge2024-01-01&started=le2024-12-31",
        ),
        ({"chosen": frozenset(map(str, range(MOST_STUDIES + 1)))}, "patient/ImagingStudy.rs"),
        ({"chosen": frozenset()}, ""),
        ({"images": "none"}, "patient/ImagingStudy.rs"),
    ],
)
def test_terms_are_said_as_filters_where_filters_can_say_them(terms: dict[str, object], expected: str) -> None:
    assert said("patient/ImagingStudy.rs", **terms) == expected


def test_a_v1_request_left_as_it_was_is_answered_as_it_was() -> None:
    assert said("openid patient/*.read") == "openid patient/*.read"
    narrowed = said("patient/ImagingStudy.read patient/Patient.read", modalities=frozenset({"CT"}))
    assert narrowed == "patient/ImagingStudy.rs?modality=CT patient/Patient.read"


def test_a_wildcard_is_told_apart_when_something_is_narrowed() -> None:
    narrowed = said("patient/*.rs", modalities=frozenset({"CT"}), reports=False).split()
    assert "patient/ImagingStudy.rs?modality=CT" in narrowed
    assert "patient/Patient.rs" in narrowed
    assert not [one for one in narrowed if "*" in one or "Report" in one or "Document" in one or "Binary" in one]


def test_without_reports_there_is_no_scope_for_them() -> None:
    asked = "patient/DiagnosticReport.rs patient/DocumentReference.r patient/ImagingStudy.rs"
    assert said(asked, reports=False) == "patient/ImagingStudy.rs"


def test_a_part_of_the_body_that_no_scope_can_name_leaves_it_wide() -> None:
    assert said("patient/ImagingStudy.rs", body_sites=frozenset({"CHEST", "arm, left"})) == "patient/ImagingStudy.rs"


@given(archive.asks, archive.terms, archive.archives)
def test_a_token_of_the_statement_reaches_exactly_what_the_grant_allows(
    some: list[Ask], terms: Terms, studies: list[StudyFacts]
) -> None:
    scopes = parse(written(some))
    terms = replace(terms, scopes=scopes)
    stated = statement(scopes, terms, str)
    assert contains(scopes, stated)
    token, grant = Reach(parse(text(stated)), terms, str), Reach(scopes, terms, str)
    for letter in "rs":
        for study, series in leaves(studies):
            assert token.study(study, letter) is grant.study(study, letter)
            assert token.report(study, report(), letter) is grant.report(study, report(), letter)
            if series is not None:
                assert token.series(study, series, letter) is grant.series(study, series, letter)
