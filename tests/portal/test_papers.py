"""Documents among the pictures: structured reports to read, PDF to download."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from smartapp.records.model import Withheld
from tests.portal import fakes
from tests.portal.conftest import Portal
from tests.portal.reports import STRUCTURED, item

STUDY = f"/my/ctx-ana/studies/{fakes.CT}"
REPORT = f"{STUDY}/series/{fakes.DOSE}/instances/{fakes.DOSE}.1/report"

pytestmark = pytest.mark.promise("A2")


def test_a_series_that_is_one_structured_report_leads_to_its_text(client: FlaskClient) -> None:
    assert f'href="{STUDY}/series/{fakes.DOSE}"' in client.get(STUDY).text
    answer = client.get(f"{STUDY}/series/{fakes.DOSE}")
    assert (answer.status_code, answer.headers["Location"]) == (303, REPORT)


def test_its_conclusion_comes_first_and_the_rest_in_its_order(client: FlaskClient) -> None:
    text = client.get(REPORT).text
    words = (
        "Chest CT report",
        "Most likely harmless.",
        "Observer",
        "Findings",
        "Right upper lobe",
        "5 mm",
        "Signed by",
    )
    places = [text.index(each) for each in words]
    assert places == sorted(places)
    assert "Nobody has signed" not in text


def test_it_says_when_it_is_not_signed_not_complete_or_not_shown_whole(portal: Portal, client: FlaskClient) -> None:
    portal.records.structured = replace(STRUCTURED, verified=False, complete=False, preliminary=True, cut=True)
    text = client.get(REPORT).text
    for words in ("Nobody has signed", "not complete", "may still change", "longer than we can show"):
        assert words in text


def test_what_it_says_is_text_and_never_markup(portal: Portal, client: FlaskClient) -> None:
    portal.records.structured = replace(STRUCTURED, items=(item("<b>Name</b>", "<script>alert(1)</script>"),))
    text = client.get(REPORT).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


def test_a_pdf_is_downloaded_and_never_shown_on_our_origin(client: FlaskClient) -> None:
    page = client.get(f"{STUDY}/series/{fakes.SCANNED}").text
    address = f"{STUDY}/series/{fakes.SCANNED}/instances/{fakes.SCANNED}.1/document"
    assert f'href="{address}" download' in page
    assert f'href="{STUDY}/series/{fakes.SCANNED}/instances/{fakes.SCANNED}.2/report"' in page
    answer = client.get(address)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.data.startswith(b"%PDF-")


def test_a_paper_waits_with_its_report(portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = portal.records.study
    held = (Withheld("rep-1", "blocked"),)
    monkeypatch.setattr(portal.records, "study", lambda *args: replace(shown(*args), withheld=held))
    text = client.get(STUDY).text
    assert text.count("Shown when the report is shown") == 2
    assert f"/series/{fakes.DOSE}" not in text
    assert f"/series/{fakes.SCANNED}" not in text
