"""Property 5 of the threat list: the algebra of scopes agrees with what scopes reach in an archive."""

from dataclasses import replace

import pytest
from hypothesis import given

from smartapp.consent.facts import SeriesFacts, StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.algebra import contains, intersect, is_empty, may, only, union
from smartapp.consent.scopes.grammar import parse, text
from smartapp.consent.scopes.model import Level, Scopes
from tests.consent.archive import ALL, DCM, Ask, archives, ask_allows, asks, leaves, written

EVERYTHING = Terms(scopes=ALL, sensitive=frozenset({"1.2.1", "1.2.2", "1.2.3", "1.2.4"}))
Leaf = tuple[StudyFacts, SeriesFacts | None]


def allowed(scopes: Scopes, study: StudyFacts, series: SeriesFacts | None, letter: str) -> bool:
    reach = Reach(scopes, EVERYTHING, str)
    return reach.study(study, letter) if series is None else reach.series(study, series, letter)


def reached(scopes: Scopes, studies: list[StudyFacts], letter: str) -> list[Leaf]:
    return [leaf for leaf in leaves(studies) if allowed(scopes, *leaf, letter)]


def of(some: list[Ask]) -> Scopes:
    return parse(written(some))


@pytest.mark.promise("B3")
@pytest.mark.threat("P5")
@given(asks, archives)
def test_every_decision_equals_the_reference(some: list[Ask], studies: list[StudyFacts]) -> None:
    for letter in "rs":
        for study, series in leaves(studies):
            expected = any(ask_allows(ask, study, series, letter) for ask in some)
            assert allowed(of(some), study, series, letter) is expected, (written(some), study, series, letter)


@pytest.mark.threat("P5")
@given(asks, asks, archives)
def test_two_sets_of_scopes_reach_what_either_does(one: list[Ask], two: list[Ask], studies: list[StudyFacts]) -> None:
    both = union(of(one), of(two))
    assert both.resources == of(one + two).resources
    for study, series in leaves(studies):
        either = allowed(of(one), study, series, "r") or allowed(of(two), study, series, "r")
        assert allowed(both, study, series, "r") is either


@pytest.mark.threat("P5")
@given(asks, asks, archives)
def test_an_intersection_reaches_exactly_what_both_do(
    one: list[Ask], two: list[Ask], studies: list[StudyFacts]
) -> None:
    met = intersect(of(one), of(two))
    for letter in "rs":
        for study, series in leaves(studies):
            both = allowed(of(one), study, series, letter) and allowed(of(two), study, series, letter)
            assert allowed(met, study, series, letter) is both


@pytest.mark.threat("P5")
@given(asks, asks)
def test_narrowing_is_commutative_and_idempotent_and_never_widens(one: list[Ask], two: list[Ask]) -> None:
    met = intersect(of(one), of(two))
    assert replace(met, v1=False) == replace(intersect(of(two), of(one)), v1=False)
    once = intersect(of(one), of(one))
    assert intersect(once, once) == once
    assert intersect(met, of(two)).resources == met.resources
    assert contains(of(one), met)
    assert contains(of(two), met)
    assert parse(text(met)).resources == met.resources


@pytest.mark.threat("P5")
@given(asks, asks, archives)
def test_what_is_contained_reaches_no_more(wide: list[Ask], narrow: list[Ask], studies: list[StudyFacts]) -> None:
    if contains(of(wide), of(narrow)):
        for letter in "rs":
            outside = [leaf for leaf in reached(of(narrow), studies, letter) if not allowed(of(wide), *leaf, letter)]
            assert outside == []


@given(asks, asks)
def test_everything_contains_itself_and_its_part(one: list[Ask], two: list[Ask]) -> None:
    assert contains(of(one), of(one))
    assert contains(of(one + two), of(one))


@pytest.mark.threat("P5")
@given(asks, archives)
def test_read_and_search_are_two_permissions(some: list[Ask], studies: list[StudyFacts]) -> None:
    def lettered(letters: str) -> Scopes:
        return of([replace(ask, letters=letters) for ask in some])

    assert contains(lettered("rs"), union(lettered("r"), lettered("s")))
    assert contains(union(lettered("r"), lettered("s")), lettered("rs"))
    assert reached(lettered("r"), studies, "s") == []
    assert reached(lettered("s"), studies, "r") == []
    assert reached(lettered("rs"), studies, "r") == reached(lettered("r"), studies, "r")


@pytest.mark.threat("P5")
@given(asks, asks, archives)
def test_a_further_filter_never_reaches_more(some: list[Ask], more: list[Ask], studies: list[StudyFacts]) -> None:
    further = tuple(one for ask in more for one in ask.filters)
    narrowed = [replace(ask, filters=ask.filters + further) if ask.type == "ImagingStudy" else ask for ask in some]
    assert contains(of(some), of(narrowed))
    assert not [leaf for leaf in reached(of(narrowed), studies, "r") if not allowed(of(some), *leaf, "r")]


@pytest.mark.threat("O29")
@pytest.mark.parametrize(
    ("wide", "narrow", "held"),
    [
        ("patient/ImagingStudy.rs", "patient/ImagingStudy.r", True),
        ("patient/ImagingStudy.r patient/ImagingStudy.s", "patient/ImagingStudy.rs", True),
        ("patient/*.read", "patient/ImagingStudy.rs?modality=CT", True),
        ("patient/ImagingStudy.rs?modality=CT,MR", "patient/ImagingStudy.rs?modality=CT", True),
        (
            "patient/ImagingStudy.rs?modality=CT patient/ImagingStudy.rs?modality=MR",
            "patient/ImagingStudy.rs?modality=CT,MR",
            True,
        ),
        (f"patient/ImagingStudy.rs?modality={DCM}|CT", "patient/ImagingStudy.rs?modality=CT", True),
        ("patient/ImagingStudy.rs?bodysite=CHEST", "patient/ImagingStudy.rs?bodysite=51185008", True),
        ("patient/ImagingStudy.rs?started=ge2024", "patient/ImagingStudy.rs?started=ge2024-02&started=lt2025", True),
        ("patient/ImagingStudy.rs?started=2024,2025", "patient/ImagingStudy.rs?started=ge2024&started=le2025", True),
        ("openid patient/Patient.rs", "openid", True),
        ("patient/*.rs", "patient/*.cruds", False),
        ("patient/ImagingStudy.rs", "patient/*.rs", False),
        ("patient/ImagingStudy.rs", "patient/ImagingStudy.rs patient/Patient.rs", False),
        ("patient/ImagingStudy.rs", "user/ImagingStudy.rs", False),
        ("patient/ImagingStudy.rs?modality=CT", "patient/ImagingStudy.rs", False),
        ("patient/ImagingStudy.rs?modality=CT", "patient/ImagingStudy.rs?modality=CT,MR", False),
        ("patient/ImagingStudy.rs?modality=CT", "patient/ImagingStudy.rs?bodysite=CHEST", False),
        ("patient/ImagingStudy.rs?modality=CT&bodysite=CHEST", "patient/ImagingStudy.rs?modality=CT", False),
        ("patient/ImagingStudy.rs?started=ge2024", "patient/ImagingStudy.rs?started=ge2023-12-31", False),
        ("patient/DiagnosticReport.rs?code=http://loinc.org|1", "patient/DiagnosticReport.rs?code=1", False),
        ("patient/Patient.rs", "patient/Patient.rs openid", False),
        ("patient/*.rs", "patient/ImagingStudy.rs?colour=red", False),
    ],
)  # fmt: skip
def test_a_refresh_may_keep_or_narrow_and_never_widen(wide: str, narrow: str, held: bool) -> None:  # noqa: FBT001 - a table
    assert contains(parse(wide), parse(narrow)) is held


def test_what_would_take_too_long_to_compare_is_not_contained() -> None:
    codes = ",".join(f"c{n}" for n in range(20))
    query = f"code={codes}&category={codes}"
    split = " ".join(f"patient/DiagnosticReport.rs?code=c{n}" for n in range(20))
    assert not contains(parse(split), parse(f"patient/DiagnosticReport.rs?{query}"))
    assert contains(parse(split), parse(f"patient/DiagnosticReport.rs?code={codes}"))


@pytest.mark.promise("B1")
@pytest.mark.parametrize(
    ("asked", "offered", "left"),
    [
        ("patient/*.rs", "patient/ImagingStudy.cruds openid", "patient/ImagingStudy.rs"),
        ("patient/ImagingStudy.read openid", "openid patient/ImagingStudy.rs", "openid patient/ImagingStudy.read"),
        ("patient/ImagingStudy.rs", "patient/ImagingStudy.read", "patient/ImagingStudy.rs"),
        (
            "patient/ImagingStudy.rs?modality=CT,MR",
            "patient/ImagingStudy.r?modality=MR,PT&modality=MR",
            "patient/ImagingStudy.r?modality=MR",
        ),
        ("patient/ImagingStudy.rs?status=available", "patient/ImagingStudy.rs?status=cancelled", ""),
        ("patient/ImagingStudy.rs?started=lt2024", "patient/ImagingStudy.rs?started=ge2024", ""),
        ("patient/ImagingStudy.rs", "user/ImagingStudy.rs", ""),
        ("patient/ImagingStudy.r", "patient/ImagingStudy.s", ""),
        ("patient/ImagingStudy.rs?modality=CT", "patient/ImagingStudy.rs", "patient/ImagingStudy.rs?modality=CT"),
        ("patient/*.rs patient/ImagingStudy.rs", "patient/*.cruds", "patient/*.rs patient/ImagingStudy.rs"),
    ],
)  # fmt: skip
def test_what_is_left_of_a_request(asked: str, offered: str, left: str) -> None:
    met = intersect(parse(asked), parse(offered))
    assert text(met) == left
    assert is_empty(met) is (not left)


def test_levels_are_told_apart() -> None:
    scopes = parse("openid patient/ImagingStudy.r user/Patient.rs system/*.s")
    assert text(only(scopes, Level.PATIENT)) == "openid patient/ImagingStudy.r"
    assert may(scopes, "ImagingStudy", "s")
    assert not may(only(scopes, Level.PATIENT), "ImagingStudy", "s")
