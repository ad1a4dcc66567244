"""The engine against a slow one, that tries out everything that is not known, and shares no code with it."""

import itertools
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.consent.directives.model import Filed
from smartapp.consent.directives.onfile import OnFile, read_all
from tests.consent.directives.made import (
    DCM,
    NOON,
    OPT_IN,
    OPT_OUT,
    OURS,
    TYPES,
    V3,
    app,
    concept,
    consent,
    judge,
    study,
)

pytestmark = pytest.mark.promise("B5")
Json = dict[str, Any]

FITS, NOT, WHO_KNOWS = "fits", "not", "who knows"
ELEMENTS: dict[str, list[Json]] = {
    FITS: [
        {},
        {"actor": [app()]},
        {"class": [{"system": TYPES, "code": "ImagingStudy"}]},
        {"code": [concept(DCM, "CT")]},
        {"dataPeriod": {"start": "2025", "end": "2025"}},
        {"period": {"start": "2026"}, "actor": [app("app-2"), app()]},
    ],
    NOT: [
        {"actor": [app("app-2")]},
        {"code": [concept(DCM, "MR")]},
        {"period": {"end": "2020"}},
        {"dataPeriod": {"start": "2026"}, "unheard": "of"},
        {"class": [{"system": TYPES, "code": "Condition"}], "actor": [app(system="urn:other")]},
    ],
    WHO_KNOWS: [
        {"actor": [app(system="urn:other")]},
        {"unheard": "of"},
        {"securityLabel": [{"system": V3, "code": "?"}]},
        {"code": [{"text": "lungs"}], "class": [{"system": TYPES, "code": "ImagingStudy"}]},
        {"purpose": [{"system": "urn:x", "code": "y"}]},
    ],
}
"""What a provision may hold, by whether it speaks of the app and the study."""

Tree = tuple[str, str, list[Any]]
"""Its type, whether it fits, and what is nested in it."""


def leaves(children: Any) -> Any:
    return st.tuples(st.sampled_from(["deny", "permit"]), st.sampled_from([FITS, NOT, WHO_KNOWS]), children)


trees = st.recursive(
    leaves(st.just([])), lambda inner: leaves(st.lists(inner, max_size=3)), max_leaves=5
)  # fmt: skip


def written(draw: st.DrawFn, tree: Tree, *, timeless: bool = False) -> Json:
    """The tree as FHIR. `timeless`: a root's period bounds the rule above it as well, which the tree does not say."""
    type_, fits, nested = tree
    offered = [each for each in ELEMENTS[fits] if not (timeless and "period" in each)]
    node = {"type": type_, **draw(st.sampled_from(offered))}
    return {**node, "provision": [written(draw, each) for each in nested]} if nested else node


def unknowns(tree: Tree) -> int:
    return (tree[1] == WHO_KNOWS) + sum(unknowns(each) for each in tree[2])


def settled(tree: Tree, answers: Iterator[bool]) -> Tree:
    """The tree, with each thing that nobody knows made up."""
    type_, fits, nested = tree
    made_up = fits if fits != WHO_KNOWS else (FITS if next(answers) else NOT)
    return type_, made_up, [settled(each, answers) for each in nested]


def says(tree: Tree) -> str | None:
    """What a tree of known things says."""
    type_, fits, nested = tree
    if fits == NOT:
        return None
    said = {says(each) for each in nested}
    return "deny" if "deny" in said else "permit" if "permit" in said else type_


def denies(tree: Tree) -> bool:
    """Whether there is a way to make up what nobody knows that ends in a denial."""
    ways = itertools.product([False, True], repeat=unknowns(tree))
    return any(says(settled(tree, iter(way))) == "deny" for way in ways)


@st.composite
def consents(draw: st.DrawFn) -> tuple[Tree, Json]:
    """A Consent with the tree that it means: under a rule, its root is an exception or says where the rule holds."""
    root: Tree = draw(trees)
    rule, base = draw(st.sampled_from([(None, ""), (OPT_IN, "permit"), (OPT_OUT, "deny")]))
    meant = root if base in {"", root[0]} else (base, FITS, [root])
    return meant, consent(written(draw, root, timeless=True), rule)


@given(consents())
def test_a_study_is_kept_exactly_when_a_denial_is_possible(one: tuple[Tree, Json]) -> None:
    meant, resource = one
    assert bool(judge(resource).of_study(study())) is denies(meant)


@given(st.lists(consents(), max_size=3))
def test_between_consents_any_denial_decides_whatever_their_order(several: list[tuple[Tree, Json]]) -> None:
    named = [(meant, {**resource, "id": f"c{at}"}) for at, (meant, resource) in enumerate(several)]
    kept = {resource["id"] for meant, resource in named if denies(meant)}
    for order in itertools.permutations(resource for _, resource in named):
        assert set(judge(*order).of_study(study())) == kept


@given(st.lists(consents(), max_size=2), consents())
def test_another_consent_never_gives_back_what_one_keeps(
    several: list[tuple[Tree, Json]], more: tuple[Tree, Json]
) -> None:
    before = judge(*(resource for _, resource in several)).of_study(study())
    assert set(before) <= set(judge(*(resource for _, resource in several), more[1]).of_study(study()))


@given(trees, trees)
def test_what_permits_alone_keeps_nothing_and_opens_nothing(one: Tree, two: Tree) -> None:
    """Turned into permissions throughout, a Consent is as good as none."""

    def kindly(tree: Tree) -> Json:
        return {"type": "permit", "provision": [kindly(each) for each in tree[2]]} if tree[2] else {"type": "permit"}

    assert judge(consent(kindly(one), OPT_IN), consent(kindly(two))).rules == ()


@given(consents())
def test_ours_is_passed_over_in_its_own_shape_only(one: tuple[Tree, Json]) -> None:
    """Whoever forges our identifier hides no denial, and wins no permission."""
    meant, resource = one
    ours = {**resource, "identifier": [{"system": f"{OURS}/grants", "value": "grt-1"}]}
    written_by_us = consent(
        {"provision": [{"type": "permit", "actor": [app("app-2")]}]}, OPT_OUT, identifier=ours["identifier"]
    )
    assert judge_on_file(written_by_us) == ()
    root = resource.get("provision", {})
    shaped = resource.get("policyRule") == OPT_OUT and root.keys() == {"provision"}
    assert not shaped  # a root with a type is none of ours
    assert bool(judge_on_file(ours)) is denies(meant)
    assert judge_on_file({**written_by_us, "identifier": [{"system": "urn:forged", "value": "grt-1"}]}) == ("c1",)


def judge_on_file(*resources: Json) -> tuple[str, ...]:
    directives = read_all([Filed(each) for each in resources], UTC)
    on_file = OnFile(directives, at=NOON, issuer=OURS, zone=UTC, names=lambda _client: ("Sunny Viewer",))
    return on_file.judge("app-1", "PATRQT").of_study(study())
