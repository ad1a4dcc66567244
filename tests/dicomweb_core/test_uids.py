import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.dicomweb.core.uids import parse_uid
from smartapp.errors import BadInput

pytestmark = [pytest.mark.clause("PS3.5", "9.1"), pytest.mark.threat("D10")]


@pytest.mark.parametrize("uid", ["1", "1.2.840.10008.1.2", "2.25." + "9" * 59, "1.02.3"])
def test_uids(uid: str) -> None:
    assert parse_uid(uid) == uid


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "../../etc/passwd",
        "C:\\x",
        "CON",
        "1.2\0",
        "1.2\n",
        " 1.2",
        "1" * 65,
        "١.٢",
        "1/2",
        "1%2f2",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(BadInput):
        parse_uid(text)


@given(st.text(max_size=70))
def test_what_passes_is_digits_and_dots(text: str) -> None:
    try:
        parse_uid(text)
    except BadInput:
        return
    assert set(text) <= set("0123456789.")
