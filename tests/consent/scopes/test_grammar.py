"""Scope strings are read as the specification has them, and nothing more is read into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.scopes.grammar import MAX_FILTERED, MAX_LENGTH, MAX_SCOPES, parse, text
from smartapp.consent.scopes.model import Filter, Level, ResourceScope, Scopes
from tests.consent.archive import Ask, asks, written


def one(said: str) -> ResourceScope:
    (found,) = parse(said).resources
    return found


@pytest.mark.promise("B1")
@pytest.mark.parametrize(
    ("said", "level", "type_", "letters"),
    [
        ("patient/ImagingStudy.rs", Level.PATIENT, "ImagingStudy", "rs"),
        ("patient/ImagingStudy.r", Level.PATIENT, "ImagingStudy", "r"),
        ("patient/ImagingStudy.s", Level.PATIENT, "ImagingStudy", "s"),
        ("user/*.cruds", Level.USER, "*", "cruds"),
        ("system/Patient.cud", Level.SYSTEM, "Patient", "cud"),
    ],
)
def test_a_resource_scope_is_level_type_and_letters(said: str, level: Level, type_: str, letters: str) -> None:
    assert one(said) == ResourceScope(level, type_, letters)
    assert text(parse(said)) == said


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "127", "128")
@pytest.mark.parametrize(
    ("said", "letters"),
    [("patient/Patient.read", "rs"), ("patient/Patient.write", "cud"), ("patient/*.*", "cruds")],
)
def test_v1_means_what_v2_says_of_it_and_is_answered_as_it_was_asked(said: str, letters: str) -> None:
    found = parse(said)
    assert one(said).letters == letters
    assert found.v1
    assert text(found) == said


def test_among_v2_scopes_a_v1_scope_is_answered_in_v2() -> None:
    found = parse("patient/Patient.read patient/ImagingStudy.rs")
    assert not found.v1
    assert text(found) == "patient/ImagingStudy.rs patient/Patient.rs"


@pytest.mark.clause("SMART 2.2 server", "127")
def test_of_a_v1_request_only_what_was_narrowed_is_answered_otherwise() -> None:
    narrowed = Scopes(parse("patient/Patient.rs patient/ImagingStudy.rs?modality=CT").resources, v1=True)
    assert text(narrowed) == "patient/ImagingStudy.rs?modality=CT patient/Patient.read"


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "129")
@pytest.mark.parametrize(
    "said",
    [
        "patient/ImagingStudy.sr", "patient/ImagingStudy.rr", "patient/ImagingStudy.", "patient/ImagingStudy",
        "patient/ImagingStudy.rsx", "patient/ImagingStudy.RS", "patient/imagingStudy.rs", "Patient/ImagingStudy.rs",
        "patient/**.rs", "patient/.rs", "/ImagingStudy.rs", "practitioner/ImagingStudy.rs", "patient//ImagingStudy.rs",
        "patient/ImagingStudy.rs?", "patient/ImagingStudy.rs?modality", "patient/ImagingStudy.rs?modality=",
        "patient/ImagingStudy.rs?=CT", "patient/ImagingStudy.rs?modality=CT&", "patient/ImagingStudy.rs?modality=CT,",
        "patient/ImagingStudy.rs?colour=red", "patient/ImagingStudy.rs?modality=CT&colour=red",
        "patient/ImagingStudy.rs?modality:not=CT", "patient/ImagingStudy.rs?Modality=CT",
        "patient/ImagingStudy.rs?modality=a|b|c", "patient/ImagingStudy.rs?modality=http://x|",
        "patient/ImagingStudy.rs?modality=C%5C,T", "patient/ImagingStudy.rs?modality=%FF", "patient/*.rs?modality=CT",
        "patient/ImagingStudy.read?modality=CT", "patient/ImagingStudy.*?modality=CT", "patient/Patient.rs?name=x",
        "patient/Consent.rs?code=x", "patient/DiagnosticReport.rs?modality=CT", "patient/ImagingStudy.rs?_id=a/b",
        "patient/ImagingStudy.rs?_id=" + "a" * 65, "patient/ImagingStudy.rs?started=24",
        "patient/ImagingStudy.rs?started=",
        "patient/ImagingStudy.rs?started=ap2024", "patient/ImagingStudy.rs?started=2024-13",
        "patient/ImagingStudy.rs?started=2023-02-29", "patient/ImagingStudy.rs?started=0000",
        "patient/ImagingStudy.rs?started=2024-01-01T00:00:00Z", "patient/ImagingStudy.rs?started=٢٠٢٤",
        "profile", "OPENID", "launch/encounter", "launch/Patient", "offline", "", "patient", "*", "patient/*.rs\x00",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_no_scope_and_not_a_wide_one(said: str) -> None:
    found = parse(f"{said} openid")
    assert found.resources == frozenset()
    assert found.words == {"openid"}
    assert found.unusable == ((said,) if said else ())
    assert text(found) == "openid"


def test_filters_are_alternatives_within_and_conditions_between() -> None:
    found = one("patient/ImagingStudy.rs?started=le2025&modality=MR,CT&started=ge2024-01-01")
    assert found.filters == (
        Filter("modality", ("CT", "MR")),
        Filter("started", ("ge2024-01-01",)),
        Filter("started", ("le2025",)),
    )


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("urn:dicom:uid|urn:oid:1.2.3", "urn:dicom:uid|urn:oid:1.2.3"),
        ("urn%3Adicom%3Auid%7Curn%3Aoid%3A1.2.3", "urn:dicom:uid|urn:oid:1.2.3"),
        ("a%20b", "a b"),
        ("a%26b%3Dc", "a&b=c"),
        ("a%2Bb", "a+b"),
        ("a+b", "a+b"),
        ("%C3%A4", "ä"),
    ],
)
def test_values_are_percent_decoded_once_and_printed_so_that_they_are_read_again(said: str, value: str) -> None:
    found = parse(f"patient/ImagingStudy.rs?identifier={said}")
    (scope,) = found.resources
    assert scope.filters == (Filter("identifier", (value,)),)
    assert parse(text(found)) == found
    assert text(found).isascii()
    assert not {" ", '"', "\\"} & set(text(found))


@pytest.mark.clause("SMART 2.2 server", "159")
def test_a_context_with_a_role_is_the_context() -> None:
    assert parse("launch/imagingstudy?role=comparison").words == {"launch/imagingstudy"}


def test_words_come_first_and_the_order_is_always_the_same() -> None:
    assert text(parse("patient/Patient.rs fhirUser launch  openid patient/Consent.rs\tlaunch")) == (
        "launch openid fhirUser patient/Consent.rs patient/Patient.rs"
    )


def test_more_than_can_be_judged_quickly_is_unusable() -> None:
    long = f"patient/ImagingStudy.rs?modality={'C' * MAX_LENGTH}"
    assert parse(long).unusable == (long,)
    filtered = parse(" ".join(f"patient/ImagingStudy.rs?_id={n}" for n in range(MAX_FILTERED + 5)))
    assert (len(filtered.resources), len(filtered.unusable)) == (MAX_FILTERED, 5)
    names = [f"patient/Type{chr(97 + n // 26)}{chr(97 + n % 26)}.rs" for n in range(MAX_SCOPES + 3)]
    many = parse(" ".join(names))
    assert (len(many.resources), len(many.unusable)) == (MAX_SCOPES, 3)


@pytest.mark.promise("B1")
@pytest.mark.threat("P5")
@given(asks, st.frozensets(st.sampled_from(["openid", "launch", "launch/patient", "fhirUser", "offline_access"])))
def test_what_was_read_is_printed_and_read_again_alike(some: list[Ask], words: frozenset[str]) -> None:
    found = parse(" ".join([written(some), *words]))
    assert found.unusable == ()
    assert parse(text(found)) == found
    assert text(parse(text(found))) == text(found)
    assert found.words == words


@pytest.mark.threat("P5")
@given(st.text(max_size=80))
def test_no_text_raises_and_nothing_unusable_is_printed(said: str) -> None:
    found = parse(said)
    assert parse(text(found)) == Scopes(found.resources, found.words, found.v1)
    assert set(found.unusable) <= set(said.split())
