"""The scope algebra, for any scopes: what is granted never exceeds either side."""

from hypothesis import given
from hypothesis import strategies as st

from smartapp.sandbox.ehr.scopes import LETTERS, Scope, covers, grant, meet, parse_scope

filters = st.lists(
    st.sampled_from([("modality", "CT"), ("modality", "MR"), ("status", "final")]), max_size=2, unique=True
)
scopes = st.builds(
    Scope,
    st.sampled_from(["patient", "user", "system"]),
    st.sampled_from(["*", "ImagingStudy", "Patient"]),
    st.frozensets(st.sampled_from(LETTERS), min_size=1),
    filters.map(tuple),
)


@given(scopes)
def test_a_scope_reads_back_as_it_was_written(scope: Scope) -> None:
    assert parse_scope(str(scope)) == scope


@given(scopes, scopes)
def test_what_two_share_is_covered_by_both(one: Scope, other: Scope) -> None:
    shared = meet(one, other)
    if shared:
        assert covers((str(one),), str(shared))
        assert covers((str(other),), str(shared))


@given(st.lists(scopes, max_size=4), st.lists(scopes, max_size=4))
def test_nothing_is_granted_beyond_what_is_asked_and_registered(asked: list[Scope], registered: list[Scope]) -> None:
    wanted, offered = tuple(map(str, asked)), tuple(map(str, registered))
    for granted in grant(wanted, offered):
        assert covers(wanted, granted)
        assert covers(offered, granted)


def test_no_scopes() -> None:
    for text in (
        "patient/*.sr",
        "patient/*.",
        "patient/*.x",
        "all/*.r",
        "patient/x.r",
        "patient/*.r?",
        "patient/*.r?a=",
    ):
        assert parse_scope(text) is None


def test_version_1_keeps_its_spelling_when_granted_whole() -> None:
    assert grant(("patient/*.read",), ("patient/*.cruds",)) == ("patient/*.read",)
    assert grant(("patient/*.read",), ("patient/Patient.r",)) == ("patient/Patient.r",)
