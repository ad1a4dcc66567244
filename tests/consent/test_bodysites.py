"""Places of the body, whichever way a source names them."""

import pytest
from pydicom.sr._snomed_dict import mapping

from smartapp.consent.bodysites import _PLACES, place, places


@pytest.mark.threat("A12")
@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("CHEST", "51185008"),
        ("chest", "816094009"),
        (" Thorax ", "CHEST"),
        ("ABDOMEN", "818983003"),
        ("HAND", "85562004"),
    ],
)
def test_a_keyword_and_its_codes_are_one_place(name: str, same: str) -> None:
    assert place(name) == place(same)


@pytest.mark.parametrize(("name", "other"), [("CHEST", "LUNG"), ("HEAD", "BRAIN"), ("HAND", "FINGER"), ("CHEST", "1")])
def test_a_part_is_not_the_whole(name: str, other: str) -> None:
    assert place(name) != place(other)


def test_what_is_not_listed_is_itself_and_what_names_nothing_is_nothing() -> None:
    assert place("left big toe") == "LEFT BIG TOE"
    assert place("  ") == ""
    assert places(["", "CHEST", "51185008"]) == {"51185008"}


def test_every_line_is_one_place_and_no_name_is_in_two() -> None:
    names = [name for line in _PLACES.split() for name in line.split(",")]
    assert len(names) == len(set(names))
    codes = [name for name in names if name.isdecimal()]
    assert all(6 <= len(code) <= 18 for code in codes)


def test_the_codes_are_those_that_dicom_gave_to_its_own_older_codes() -> None:
    """Annex L named places by SNOMED RT once; where pydicom knows the pair, ours is the same."""
    older = {"CHEST": "T-D3000", "ABDOMEN": "T-D4000", "PELVIS": "T-D6000", "HEAD": "T-D1100", "NECK": "T-D1600",
             "CSPINE": "T-11501", "TSPINE": "T-11502", "LSPINE": "T-11503", "HIP": "T-15710"}  # fmt: skip
    for keyword, code in older.items():
        assert place(mapping["SRT"][code]) == place(keyword), keyword
