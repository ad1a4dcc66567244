"""What we ask, and what of it is in effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.launch.model import Mode
from smartapp.launch.scopes import asked_for, in_effect

LETTERS = st.lists(st.booleans(), min_size=5, max_size=5).map(
    lambda chosen: "".join(letter for letter, yes in zip("cruds", chosen, strict=True) if yes)
)
CLINICAL = st.builds(
    lambda level, type_, letters, query: f"{level}/{type_}.{letters}{query}",
    st.sampled_from(["patient", "user"]),
    st.sampled_from(["*", "ImagingStudy", "Patient"]),
    LETTERS.filter(bool),
    st.sampled_from(["", "?modality=CT", "?modality=MR&status=final"]),
)
PLAIN = st.sampled_from(["openid", "fhirUser", "launch", "offline_access"])
SCOPES = st.lists(CLINICAL | PLAIN, max_size=5)


def rights(scopes: list[str] | tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Every (level, type, letter) that is allowed for at least some resource, by a reading of its own."""
    found = set()
    for scope in scopes:
        level, slash, rest = scope.partition("/")
        if not slash or "." not in rest:
            continue
        type_, _, letters = rest.partition("?")[0].partition(".")
        types = ["ImagingStudy", "Patient", "Other"] if type_ == "*" else [type_]
        found |= {(level, one, letter) for one in types for letter in letters}
    return found


@given(SCOPES, SCOPES)
def test_the_effect_is_the_intersection(asked: list[str], granted: list[str]) -> None:
    assert rights(in_effect(asked, " ".join(granted))) == rights(asked) & rights(granted)


@given(SCOPES)
def test_granting_what_was_asked_changes_no_right(asked: list[str]) -> None:
    assert rights(in_effect(asked, " ".join(asked))) == rights(asked)
    assert in_effect(asked, None) == tuple(asked)


@given(SCOPES, st.text(max_size=60))
def test_whatever_was_granted_nothing_is_won(asked: list[str], granted: str) -> None:
    assert rights(in_effect(asked, granted)) <= rights(asked)


@pytest.mark.clause("SMART 2.2", "135")
@pytest.mark.clause("SMART App Launch", "3.0.2")
@pytest.mark.parametrize(
    ("granted", "effect"),
    [
        ("patient/ImagingStudy.read", ("patient/ImagingStudy.rs",)),
        ("patient/*.*", ("patient/ImagingStudy.rs",)),
        ("patient/ImagingStudy.sr", ()),
        ("patient/ImagingStudy.", ()),
        ("patient/ImagingStudy.rs?", ()),
        ("patient/imagingstudy.rs", ()),
        ("PATIENT/ImagingStudy.rs", ()),
        ("user/ImagingStudy.rs", ()),
    ],
)
def test_spellings(granted: str, effect: tuple[str, ...]) -> None:
    assert in_effect(["patient/ImagingStudy.rs"], granted) == effect


@pytest.mark.clause("SMART 2.2", "47", "146", "195", "196")
def test_both_launches_ask_who_it_is() -> None:
    modes: tuple[Mode, ...] = ("ehr", "standalone")
    for mode in modes:
        asked = asked_for(["launch", "launch/patient", "patient/*.rs"], mode)
        assert {"openid", "fhirUser", "patient/*.rs"} < set(asked)
        assert len({"launch", "launch/patient"} & set(asked)) == 1
