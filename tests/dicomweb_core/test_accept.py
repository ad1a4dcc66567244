import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.dicomweb.core.accept import Choice, NotAcceptable, Offer, choose

EXPLICIT = "1.2.840.10008.1.2.1"
PART = "multipart/related; type=application/dicom"
DICOM = Offer("application/dicom", multipart=True, syntaxes=("*", EXPLICIT))
JSON = Offer("application/dicom+json")
JPEG = Offer("image/jpeg")
OFFERS = [DICOM, JSON, JPEG]

pytestmark = [pytest.mark.clause("PS3.18", "8.7.5"), pytest.mark.clause("RFC 9110", "12.5.1")]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, Choice(DICOM, "*")),
        ("", Choice(DICOM, "*")),
        ("*/*", Choice(DICOM, "*")),
        ("multipart/related", Choice(DICOM, "*")),
        ('multipart/related; type="application/dicom"; transfer-syntax=*', Choice(DICOM, "*")),
        ("multipart/related;type=application/dicom;transfer-syntax=*", Choice(DICOM, "*")),
        (f'Multipart/Related; TYPE="application/dicom"; transfer-syntax="{EXPLICIT}"', Choice(DICOM, EXPLICIT)),
        ("application/dicom+json", Choice(JSON)),
        ("application/*", Choice(JSON)),
        ("image/*;q=0.2, application/dicom+json;q=0.1", Choice(JPEG)),
        ("image/jpeg, text/html", Choice(JPEG)),
        ("multipart/related; type=application/dicom;q=0, */*", Choice(JSON)),
        ("*/*;q=0.1, image/jpeg", Choice(JPEG)),
        ("multipart/related; transfer-syntax=1.2.840.10008.1.2.4.90, image/jpeg;q=0.1", Choice(JPEG)),
        (
            f"{PART}; transfer-syntax=*;q=0.4, {PART}; transfer-syntax={EXPLICIT};q=0.6",
            Choice(DICOM, EXPLICIT),
        ),
        ('text/plain; note="a, b", image/jpeg', Choice(JPEG)),
    ],
)
def test_what_is_chosen(accept: str | None, chosen: Choice) -> None:
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/dicom",  # a single part is not offered here
        "multipart/related; type=image/jpeg",
        "multipart/mixed; type=application/dicom",
        "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90",
        "multipart/related; type=application/dicom; transfer-syntax=../../x",
        "*/*;q=0",
        "*/*;q=nan",
        "image/jpeg;q=2",
        "image",
        "image/jpeg image/png",
        "image/jpeg; q=1; q=0",
        "image/jpeg\r\nX: y",
        ",".join(["a/b"] * 32 + ["*/*"]),
        "a/b," * 2000,
    ],
)
def test_what_is_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable) as error:
        choose(accept, OFFERS)
    assert error.value.status == 406


@given(st.text('multipart/related;type="application/dicom",q=0.1*transfer-syntax \\', max_size=80))
def test_only_offers_come_out(accept: str) -> None:
    try:
        chosen = choose(accept, OFFERS)
    except NotAcceptable:
        return
    assert chosen.offer in OFFERS
    assert chosen.syntax in (chosen.offer.syntaxes or ("",))
