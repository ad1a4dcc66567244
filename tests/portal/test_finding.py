"""Finding one study among hundreds, without any script."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from smartapp.records.model import StudySummary
from tests.portal import fakes
from tests.portal.conftest import Portal

LIST = "/my/ctx-ana/"
FORM = {"Origin": "http://127.0.0.1:8123"}
KINDS = (("CT", "Thoracic structure"), ("MR", "Brain structure"), ("DX", "Knee region structure"), ("CR", "Hand"))

pytestmark = pytest.mark.promise("A2")


def many(count: int = 500) -> tuple[StudySummary, ...]:
    """Newest first, four kinds in turn, 25 a year."""
    pattern = fakes.sample_studies()[1]
    return tuple(
        replace(
            pattern,
            uid=f"2.25.{9000 + n}",
            started=datetime(2026 - n // 25, 6, 1 + n % 25, 9, tzinfo=fakes.CHICAGO),
            modalities=(KINDS[n % 4][0],),
            body_parts=(KINDS[n % 4][1],),
            description=f"Examination {n:03}",
            report_titles=("Meniscus review",) if n == 42 else (),
        )
        for n in range(count)
    )


@pytest.fixture
def hundreds(portal: Portal) -> Portal:
    portal.records.studies_found = many()
    return portal


def titles(text: str) -> list[str]:
    return re.findall(r"Examination \d{3}", text)


def find(portal: Portal, client: FlaskClient, **wish: str) -> str:
    """The address that the form leads to."""
    answer = client.post(f"{LIST}find", data={"csrf_token": portal.csrf(), **wish}, headers=FORM)
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_a_long_list_comes_in_pages_newest_first_under_its_years(hundreds: Portal, client: FlaskClient) -> None:
    text = client.get(LIST).text
    assert titles(text) == [f"Examination {n:03}" for n in range(50)]
    assert re.findall(r'<h2 class="year">(\d+)</h2>', text) == ["2026", "2025"]
    assert "500 examinations" in text
    following = re.search(r'rel="next" href="([^"]+)"', text)
    assert following is not None
    assert titles(client.get(following[1]).text) == [f"Examination {n:03}" for n in range(50, 100)]
    assert titles(client.get(f"{LIST}?page=99999").text)[-1] == "Examination 499"


def test_filters_are_offered_with_counts_that_the_other_filters_leave(hundreds: Portal, client: FlaskClient) -> None:
    text = client.get(LIST).text
    for entry in ("2026 (25)", "2007 (25)", "X-ray (250)", "CT scan (125)", "knee (125)", "hand (125)"):
        assert f">{entry}</option>" in text
    text = client.get(f"{LIST}?kind=DX&year=2026").text
    assert ">2025 (12)</option>" in text
    assert '<option value="DX" selected>X-ray (12)</option>' in text
    assert "12 of 500 examinations" in text


def test_filters_narrow_and_stay_in_the_address(hundreds: Portal, client: FlaskClient) -> None:
    address = find(hundreds, client, year="", kind="DX", part="knee", words="")
    assert address == f"{LIST}?kind=DX&part=knee"
    text = client.get(address).text
    assert titles(text) == [f"Examination {n:03}" for n in range(2, 202, 4)]
    following = re.search(r'rel="next" href="([^"]+)"', text)
    assert following is not None
    assert titles(client.get(following[1].replace("&amp;", "&")).text)[0] == "Examination 202"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("meniscus", ["042"]),
        ("REVÍEW knee", ["042"]),
        ("2007 ct scan", ["476", "480", "484", "488", "492", "496"]),
        ("examination 123", ["123"]),
        ("meniscus brain", []),
    ],
)
def test_every_word_must_be_somewhere_in_what_is_known(
    hundreds: Portal, client: FlaskClient, words: str, found: list[str]
) -> None:
    text = client.get(find(hundreds, client, words=words)).text
    assert titles(text) == [f"Examination {number}" for number in found]
    assert ("Nothing in this record fits that." in text) is (not found)
    assert f'name="words" value="{words}"' in text


def test_words_never_stand_readable_in_an_address(hundreds: Portal, client: FlaskClient) -> None:
    address = find(hundreds, client, words="meniscus", year="2025")
    assert "meniscus" not in address
    assert "year=2025" in address
    # Nor do they open in another record's page.
    dana = hundreds.client("ses-dana")
    assert 'name="words" value=""' in dana.get(address.replace("ctx-ana", "ctx-eli")).text


@pytest.mark.parametrize("query", ["words=AAAA", "words=%00", "words=é", "page=x", "year[]=1", "kind=%3Cscript%3E"])
def test_what_an_address_does_not_mean_harms_nothing(hundreds: Portal, client: FlaskClient, query: str) -> None:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_searching_needs_the_pages_own_token(hundreds: Portal, client: FlaskClient) -> None:
    assert client.post(f"{LIST}find", data={"words": "x"}, headers=FORM).status_code == 400


def test_a_list_that_is_seen_at_a_glance_has_no_filters(client: FlaskClient) -> None:
    text = client.get(LIST).text
    assert '<form class="find"' not in text
    assert len(re.findall('class="study card"', text)) == 4


def test_studies_without_a_date_have_a_heading_of_their_own(portal: Portal, client: FlaskClient) -> None:
    portal.records.studies_found = (*many(10), replace(many(1)[0], uid="2.25.1", started=None, description="Undated"))
    text = client.get(LIST).text
    assert '<h2 class="year">Date not known</h2>' in text
    assert ">Date not known (1)</option>" in text
    only = client.get(f"{LIST}?year=none").text
    assert "Undated" in only
    assert titles(only) == []
