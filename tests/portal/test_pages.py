"""What a patient sees, without any script."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.portal import fakes
from tests.portal.conftest import Portal
from tests.portal.reports import REPORT

FORM = {"Origin": "http://127.0.0.1:8123"}
STUDY = f"/my/ctx-ana/studies/{fakes.CT}"


@pytest.mark.promise("A2")
def test_the_list_says_when_what_where_and_how_far_the_report_is(client: FlaskClient) -> None:
    text = client.get("/my/ctx-ana/").text
    chest = text[text.index("September 17, 2026") :]
    for words in ("CT scan: chest", "St. Elsewhere Health", "203 pictures", "Report ready"):
        assert words in chest
    order = [text.index(words) for words in ("CT scan: head", "CT scan: chest", "X-ray: hand", "CT scan: knee")]
    assert order == sorted(order)
    states = re.findall(r'class="badge [a-z]+">([^<]+)<', text)
    assert states == ["Preliminary report", "Report ready", "No report yet", "Report ready, amended"]


def test_an_empty_list_says_so(portal: Portal, client: FlaskClient) -> None:
    portal.records.studies_found = ()
    assert "There are no scans in this record yet." in client.get("/my/ctx-ana/").text


def test_what_could_not_be_read_or_matched_is_said(portal: Portal, client: FlaskClient) -> None:
    assert "may be incomplete" not in client.get("/my/ctx-ana/").text
    portal.records.problems, portal.records.unmatched = ("pacs-missing",), 2
    text = client.get("/my/ctx-ana/").text
    assert "This page may be incomplete." in text
    assert "There are 2 items" in text


def test_the_day_is_the_hospitals(portal: Portal, client: FlaskClient) -> None:
    late = portal.records.studies_found[0]
    assert late.started is not None
    assert late.started.astimezone(fakes.NOW.tzinfo).day == 21
    assert "November 20, 2026" in client.get("/my/ctx-ana/").text


@pytest.mark.promise("A2")
def test_the_conclusion_comes_first(client: FlaskClient) -> None:
    text = client.get(STUDY).text
    order = [
        text.index(words) for words in ("A single 5 mm nodule", "No fluid around the lungs.", "The airways are open.")
    ]
    assert order == sorted(order)
    assert "September 17, 2026, 3:10 PM CDT" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("preliminary", "A doctor has not confirmed it yet"),
        ("partial", "A doctor has not confirmed it yet"),
        ("corrected", "It was changed after it was first issued."),
        ("something-new", "It is not known whether this report is final."),
    ],
)
@pytest.mark.promise("A2")
def test_a_report_says_when_it_is_not_plainly_final(
    portal: Portal, client: FlaskClient, status: str, words: str
) -> None:
    assert words not in client.get(STUDY).text
    portal.records.report = replace(REPORT, status=status)
    text = client.get(STUDY).text
    assert words in text
    assert "A single 5 mm nodule" in text


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_report_is_not_shown(portal: Portal, client: FlaskClient, status: str) -> None:
    portal.records.report = replace(REPORT, status=status)
    text = client.get(STUDY).text
    assert "The hospital has withdrawn this report." in text
    for words in ("A single 5 mm nodule", "No fluid", "airways", "Report as PDF"):
        assert words not in text


@pytest.mark.promise("A3")
def test_without_script_every_series_leads_to_plain_pages_of_pictures(client: FlaskClient) -> None:
    link = re.search(r'href="([^"]+/series/[^"]+)" data-series-link', client.get(STUDY).text)
    assert link is not None
    first = client.get(link[1]).text
    pictures = re.findall(r'<img src="([^"]+)"\s+alt="([^"]+)"', first)
    assert len(pictures) == 60
    assert pictures[0][1] == "Picture 1"
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    assert "Pictures 61 to 120 of 200" in client.get(following[1]).text
    small = client.get(pictures[0][0])
    assert (small.mimetype, small.data[:2]) == ("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize(("asked", "first"), [("0", 1), ("-3", 1), ("999999999", 181), ("x", 1)])
def test_a_page_number_past_the_ends_means_the_end(client: FlaskClient, asked: str, first: int) -> None:
    assert f'<ol class="thumbnails" start="{first}">' in client.get(f"{STUDY}/series/{fakes.SERIES}?page={asked}").text


def test_a_series_of_no_study_is_not_there(client: FlaskClient) -> None:
    assert client.get(f"{STUDY}/series/1.2.3").status_code == 404
    assert client.get("/my/ctx-ana/studies/1.2.3").status_code == 404
    assert client.get("/my/ctx-ana/studies/not-a-uid").status_code == 400


def test_without_pictures_the_page_says_so_and_loads_no_viewer(client: FlaskClient) -> None:
    text = client.get("/my/ctx-ana/studies/2.25.1003").text
    assert "The pictures are not available here." in text
    assert "There is no report for this examination yet." in text
    assert "viewer/main.js" not in text


@pytest.mark.threat("D17")
@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/html; x=\r\ny: z", "nonsense"])
def test_an_attachment_is_always_a_download(portal: Portal, client: FlaskClient, kind: str) -> None:
    portal.records.content_type = kind
    answer = client.get(f"{STUDY}/reports/rep-1/attachments/0")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == "attachment; filename=report.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "y" not in answer.headers


@pytest.mark.threat("W23")
@pytest.mark.parametrize("name", ['x"; filename=evil.exe', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "…", ""])
def test_a_file_name_is_only_a_name(portal: Portal, client: FlaskClient, name: str) -> None:
    portal.records.filename = name
    disposition = client.get(f"{STUDY}/reports/rep-1/attachments/0").headers["Content-Disposition"]
    assert re.fullmatch(r"attachment; filename=[A-Za-z0-9._-]+", disposition)
    assert ".." not in disposition


@pytest.mark.promise("A6")
def test_a_representative_is_told_whose_record_it_is_on_every_page(portal: Portal) -> None:
    dana = portal.client("ses-dana")
    for path in ("", f"studies/{fakes.CT}", f"studies/{fakes.CT}/series/{fakes.SERIES}", "sessions"):
        text = dana.get(f"/my/ctx-eli/{path}").text
        assert "You are viewing the record of Eli Novak as their representative." in text
        assert "You are signed in as Dana Novak." in text


def test_a_patient_sees_whose_record_it_is(client: FlaskClient) -> None:
    text = client.get("/my/ctx-ana/").text
    assert "Ana María Rivera" in text
    assert "born April 8, 1979" in text
    assert "representative" not in text


@pytest.mark.threat("S21")
@pytest.mark.parametrize(
    "path", ["", f"studies/{fakes.CT}", "sessions", f"studies/{fakes.CT}/series/{fakes.SERIES}/thumbnail"]
)
def test_a_page_of_another_record_says_so(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/my/ctx-eli/{path}")
    assert answer.status_code == 409
    assert "Another record is open in this browser" in answer.text
    assert "Eli" not in answer.text


def test_nobody_signed_in_gets_a_way_back(portal: Portal) -> None:
    answer = portal.client(None).get("/my/ctx-ana/")
    assert answer.status_code == 401
    assert "Sign in again" in answer.text


def test_the_viewers_token_is_given_to_the_page_and_not_written_in_it(portal: Portal, client: FlaskClient) -> None:
    assert "vt_" not in client.get(STUDY).text
    answer = client.post(f"{STUDY}/viewer-token", headers=FORM | {"X-CSRF-Token": portal.csrf()})
    base = "http://127.0.0.1:8123/st-elsewhere/dicomweb"
    assert answer.json == {"token": "vt_1", "expires_in": 300, "dicomweb": base}
    assert answer.headers["Cache-Control"] == "no-store"


def test_sessions_are_listed_and_can_be_ended(portal: Portal, client: FlaskClient) -> None:
    text = client.get("/my/ctx-ana/sessions").text
    assert "Firefox, Linux" in text
    assert "Unknown browser" in text
    assert text.count("/end") == 1  # not the one that asks
    answer = client.post("/my/ctx-ana/sessions/ses-phone/end", data={"csrf_token": portal.csrf()}, headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/my/ctx-ana/sessions")
    assert portal.sign_in.calls == [("end_other", "ses-phone")]


def test_pages_speak_spanish(portal: Portal, client: FlaskClient) -> None:
    text = client.get("/my/ctx-ana/", headers={"Accept-Language": "es-MX,es;q=0.9"}).text
    assert '<html lang="es">' in text
    for words in ("Tomografía (TC): tórax", "17 de septiembre de 2026", "Informe preliminar", "203 imágenes"):
        assert words in text


@pytest.mark.threat("W22")
@pytest.mark.parametrize("address", ["/start", f"/my/ctx-ana/studies/{fakes.CT}/copy", "/my/ctx-ana/find"])
def test_a_forms_address_opened_as_a_page_is_said_to_be_none(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 405
    assert "There is nothing here" in answer.text
