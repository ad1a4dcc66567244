"""While a report is held back, the documents among the pictures of its study are not there for a token either."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fhir_upstream.fake_fhir import FakeFhir
from tests.gateway.app import MULTIPART, Viewer, viewer
from tests.records.desk import Desk
from tests.records.test_papers import PDF, turn_into
from tests.records.test_release import HOUR, strict

STUDY, PICTURES, PAPERS = "/studies/1.2.3", "/studies/1.2.3/series/1.2.3.1", "/studies/1.2.3/series/1.2.3.2"
PAPER = f"{PAPERS}/instances/1.2.3.2.1"


def told(desk: Desk, ehr: FakeFhir, since: timedelta) -> Viewer:
    """A study whose second series is a PDF, with a report issued `since` ago under a delay of 72 hours."""
    strictly = strict(desk, ehr, issued=(desk.house.clock.now() - since).isoformat())
    turn_into(strictly, PDF, b"%PDF-1.7 secret")
    return viewer(strictly)


@pytest.mark.promise("A2")
@pytest.mark.parametrize(
    ("path", "accept"),
    [
        (PAPERS, MULTIPART),
        (PAPER, MULTIPART),
        (f"{PAPERS}/metadata", None),
        (f"{PAPER}/metadata", None),
        (f"{PAPERS}/instances", None),
        (f"{PAPER}/bulkdata/00420011", "application/octet-stream"),
        (f"{PAPER}/frames/1", "application/octet-stream"),
        (f"{PAPER}/rendered", "image/jpeg"),
    ],
)
def test_a_document_is_as_absent_as_one_that_never_was(
    desk: Desk, ehr: FakeFhir, path: str, accept: str | None
) -> None:
    answer = told(desk, ehr, HOUR).get(path, accept)
    assert answer.status_code == 404
    assert b"secret" not in answer.data


@pytest.mark.promise("A2")
def test_the_pictures_stay_and_listings_hold_nothing_else(desk: Desk, ehr: FakeFhir) -> None:
    v = told(desk, ehr, HOUR)
    assert [row["0020000E"]["Value"] for row in v.get(f"{STUDY}/series").get_json()] == [["1.2.3.1"]]
    sops = {"1.2.3.1.1", "1.2.3.1.2"}
    for listing in (f"{STUDY}/series", f"{STUDY}/instances", f"{STUDY}/metadata"):
        assert v.get(listing).headers["Warning"].startswith("299 smartapp")
    assert "Warning" not in v.get(f"{PICTURES}/metadata").headers
    for listing in (f"{STUDY}/instances", f"{STUDY}/metadata"):
        assert {row["00080018"]["Value"][0] for row in v.get(listing).get_json()} == sops
    assert v.get(PICTURES, MULTIPART).status_code == 200


@pytest.mark.promise("E4")
def test_the_study_is_not_given_as_if_it_were_whole(desk: Desk, ehr: FakeFhir) -> None:
    answer = told(desk, ehr, HOUR).get(STUDY, MULTIPART)
    assert answer.status_code == 403
    assert "Retrievable series: 1.2.3.1\n" in answer.text
    assert "1.2.3.2" not in answer.text


@pytest.mark.promise("A2")
def test_all_of_it_is_there_when_the_report_is(desk: Desk, ehr: FakeFhir) -> None:
    v = told(desk, ehr, 72 * HOUR)
    assert len(v.get(f"{STUDY}/series").get_json()) == 2
    assert b"secret" in v.get(PAPER, MULTIPART).data
    assert v.get(STUDY, MULTIPART).status_code == 200
