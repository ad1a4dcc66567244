"""A change never widens: whatever narrows, reaches nothing more, by the rule that apps are held to."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.facts import ReportKnown, SeriesFacts, StudyFacts
from smartapp.consent.grants.model import Terms
from smartapp.consent.reach import Reach
from smartapp.consent.scopes.grammar import parse
from smartapp.exchange.grants.terms import itself, narrows, still_masked

_SCOPES = (
    "patient/*.rs",
    "patient/ImagingStudy.rs",
    "patient/ImagingStudy.s patient/DiagnosticReport.r",
    "patient/ImagingStudy.rs?modality=CT",
    "patient/ImagingStudy.rs?modality=CT,MR patient/DiagnosticReport.rs",
)
_DAYS = (None, date(2024, 1, 1), date(2024, 6, 1))
_ENDS = (None, datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))


def some(*values: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values))


terms = st.builds(
    Terms,
    scopes=st.sampled_from(_SCOPES).map(parse),
    chosen=st.none() | some("1", "2"),
    modalities=some("CT", "MR"),
    body_sites=some("CHEST", "51185008", "HEAD"),
    started_from=st.sampled_from(_DAYS),
    started_to=st.sampled_from(_DAYS),
    reports=st.booleans(),
    images=st.sampled_from(("full", "deidentified", "none")),
    future=st.booleans(),
    purpose=st.sampled_from(("PATRQT", "TREAT")),
    expires_at=st.sampled_from(_ENDS),
    sensitive=some("1", "2"),
)
studies = st.builds(
    StudyFacts,
    uid=st.sampled_from(("1", "2", "3")),
    owners=st.just(frozenset()),
    started=st.sampled_from((None, date(2023, 1, 1), date(2024, 3, 1), date(2025, 1, 1))),
    modalities=some("CT", "MR", "PT"),
    body_sites=some("CHEST", "HEAD"),
    labels=st.sampled_from((frozenset(), frozenset({"http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"}))),
    series=st.lists(
        st.builds(
            SeriesFacts,
            uid=st.sampled_from(("s1", "s2")),
            modality=st.sampled_from(("CT", "MR")),
            body_sites=some("CHEST", "HEAD"),
        ),
        max_size=2,
    ).map(tuple),
)
_REPORT = ReportKnown("r", frozenset(), frozenset(), date(2024, 3, 1), "final")


def reached(each: Terms, study: StudyFacts) -> set[tuple[str, ...]]:
    reach = Reach(each.scopes, each, itself)
    found: set[tuple[str, ...]] = {("study", letter) for letter in "rs" if reach.study(study, letter)}
    found |= {("series", s.uid, letter) for s in study.series for letter in "rs" if reach.series(study, s, letter)}
    return found | {("report", letter) for letter in "rs" if reach.report(study, _REPORT, letter)}


@given(terms, terms, studies)
def test_what_narrows_reaches_nothing_more(new: Terms, old: Terms, study: StudyFacts) -> None:
    if narrows(new, old):
        assert reached(new, study) <= reached(old, study)
        assert new.expires_at is not None or old.expires_at is None


@given(terms, studies, st.data())
def test_a_part_of_what_was_granted_narrows(old: Terms, study: StudyFacts, data: Any) -> None:
    """So that the rule above is not kept by refusing everything."""
    new = replace(
        old,
        reports=False,
        images="none",
        chosen=data.draw(st.frozensets(st.sampled_from(sorted(old.chosen)))) if old.chosen else old.chosen,
        sensitive=frozenset(),
        expires_at=old.expires_at or _ENDS[1],
        started_from=old.started_from or _DAYS[1],
    )
    new = still_masked(new, old)
    assert narrows(new, old)
    assert reached(new, study) <= reached(old, study)
    assert new.hides_identity is old.hides_identity


@pytest.mark.parametrize(
    "wider",
    [
        {"scopes": parse("patient/*.cruds")},
        {"scopes": parse("patient/*.rs offline_access")},
        {"chosen": None},
        {"chosen": frozenset({"1", "2"})},
        {"modalities": frozenset()},
        {"modalities": frozenset({"CT", "MR"})},
        {"body_sites": frozenset()},
        {"started_from": None},
        {"started_to": None},
        {"reports": True},
        {"images": "full"},
        {"images": "none"},
        {"purpose": "TREAT"},
        {"expires_at": None},
        {"sensitive": frozenset({"1"})},
    ],
)
def test_each_thing_that_widens_is_seen(wider: dict[str, Any]) -> None:
    old = Terms(
        parse("patient/*.rs"),
        chosen=frozenset({"1"}),
        modalities=frozenset({"CT"}),
        body_sites=frozenset({"CHEST"}),
        started_from=date(2024, 1, 1),
        started_to=date(2024, 6, 1),
        reports=False,
        images="deidentified",
        future=False,
        expires_at=_ENDS[1],
    )
    assert narrows(old, old)
    assert not narrows(replace(old, **wider), old)


def test_pictures_without_a_name_that_are_taken_away_do_not_bring_the_name_back() -> None:
    old = Terms(parse("patient/*.rs"), images="deidentified", reports=False)
    less = still_masked(replace(old, images="none"), old)
    assert (less.hides_identity, narrows(less, old)) == (True, True)
    assert still_masked(replace(old, images="none"), less) == less
    full = replace(old, images="full")
    assert not still_masked(replace(full, images="none"), full).hides_identity


def test_a_grant_without_studies_is_widened_by_any() -> None:
    """It is an app's that asked for none: nothing comes later."""
    old = Terms(parse("patient/*.rs"), chosen=None, future=False)
    assert narrows(replace(old, reports=False), old)
    assert narrows(replace(old, chosen=frozenset()), old)
    assert not narrows(replace(old, chosen=frozenset({"1"})), old)
    assert not narrows(replace(old, future=True), old)
