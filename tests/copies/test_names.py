from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.errors import BadInput
from smartapp.exchange.copies import names
from smartapp.exchange.copies.passphrase import Passphrase
from smartapp.records.model import StudySummary

DAY = datetime(2026, 9, 17, 9, 42, tzinfo=UTC)


def summary(uid: str = "1.2.3", started: datetime | None = DAY, kinds: str = "CT", body: str = "CHEST") -> StudySummary:
    parts = (body,) if body else ()
    return StudySummary(uid, started, "", tuple(kinds.split()), parts, "", 1, 1, True, "none", ())


@pytest.mark.promise("A4")
@pytest.mark.parametrize(
    ("study", "folder"),
    [
        (summary(), "20260917/CT_CHEST"),
        (summary(kinds="DX", body="Knee region structure"), "20260917/XR_KNEE"),
        (summary(kinds="SR MR", body="BRAIN"), "20260917/MR_BRAIN"),
        (summary(kinds="KO", body="Whole body"), "20260917/WHOLE"),
        (summary(kinds="", body="", started=None), "UNDATED/SCAN"),
        (summary(kinds="CT", body="../../etc"), "20260917/CT_SCAN"),
    ],
)
def test_a_folder_says_when_and_what(study: StudySummary, folder: str) -> None:
    assert names.folders([study]) == [folder]


def test_studies_of_one_day_and_kind_are_numbered_by_time_whatever_their_order() -> None:
    early, late = summary("1.9", DAY), summary("1.1", DAY.replace(hour=22))
    assert names.folders([late, early]) == ["20260917/CT_CHES2", "20260917/CT_CHEST"]
    many = names.folders([summary(f"1.{at}") for at in range(120)])
    assert len(set(many)) == 120
    assert "20260917/CT_CH120" in many


@pytest.mark.threat("D10")
@pytest.mark.clause("PS3.10", "8.5")
@given(
    st.lists(
        st.builds(
            summary,
            uid=st.text(),
            started=st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1)),  # noqa: DTZ001 - of the zone given beside it
            kinds=st.text(),
            body=st.text(),
        ),
        max_size=8,
    )
)
def test_nothing_that_a_hospital_wrote_becomes_part_of_a_name(studies: list[StudySummary]) -> None:
    folders = names.folders(studies)
    assert len(set(folders)) == len(studies)
    for path in folders:
        for component in path.split("/"):
            assert 1 <= len(component) <= 8
            assert set(component) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
    if studies:
        assert set(names.archive_file(studies, DAY)) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
        )


@pytest.mark.threat("W23")
def test_a_document_gets_an_ending_only_for_a_type_that_we_know() -> None:
    assert names.document_file(1, 2, "Application/PDF; x=y") == "HOSP1_2.PDF"
    assert names.document_file(1, 2, "application/x-msdownload") == "HOSP1_2.BIN"
    assert names.document_file(1, 2, 'a"\r\nSet-Cookie: x') == "HOSP1_2.BIN"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("short", "short"),
        ("elevensigns", "short"),
        ("x" * 129, "long"),
        ("contraseña larga y buena", "signs"),
        (" with a space before", "signs"),
        ("a tab\tin the middle", "signs"),
        ("a line\nand another", "signs"),
    ],
)
def test_a_passphrase_that_would_not_protect_or_not_open_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput, match=f"copy.passphrase.{code}"):
        Passphrase(text)


@pytest.mark.threat("T18")
def test_a_passphrase_is_not_printed() -> None:
    assert "horse" not in repr(Passphrase("correct horse battery"))
