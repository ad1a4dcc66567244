"""The button on a study's page: for whoever is signed in, from our own page, and to OHIF only."""

import re

import pytest
from werkzeug.test import TestResponse

from smartapp.web.csrf import HEADER
from tests.ohif.site import ORIGIN, Side

OURS = "https://images.example.org"


def press(
    side: Side, *, context: str | None = None, study: str = "1.2.3", headers: dict[str, str] | None = None
) -> TestResponse:
    opened = side.desk.house.sign_in()
    token = side.desk.house.keyring.mac("csrf", opened.session_id)
    sent = {"Cookie": f"__Host-smartapp-session={opened.cookie}", HEADER: token, "Origin": OURS} | (headers or {})
    path = f"/my/{context or opened.context_id}/studies/{study}/ohif"
    return side.client.post(path, headers=sent, base_url=side.desk.base_url)


@pytest.mark.promise("A3")
def test_it_leads_to_ohif_with_a_code_that_counts(side: Side) -> None:
    answer = press(side)
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.fullmatch(re.escape(ORIGIN) + r"/open#code=(soc_[\w-]{43})", answer.headers["Location"])
    assert found
    assert side.door.redeem(found[1]).study_uid == "1.2.3"


@pytest.mark.threat("W1")
@pytest.mark.parametrize(
    "headers",
    [
        {HEADER: ""},
        {HEADER: "x"},
        {"Origin": ORIGIN},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_page_can_press_it(side: Side, headers: dict[str, str]) -> None:
    answer = press(side, headers=headers)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.threat("S21")
def test_a_page_of_another_record_gets_no_code(side: Side) -> None:
    assert press(side, context=side.principal.context_id).status_code == 409


@pytest.mark.threat("A9")
@pytest.mark.parametrize("study", ["x", "1..2", "1.2.3%0d%0aX: y", "1" * 65])
def test_what_is_no_uid_is_refused(side: Side, study: str) -> None:
    assert press(side, study=study).status_code in {400, 404}
