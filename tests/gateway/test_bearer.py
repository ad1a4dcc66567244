import pytest

from tests.gateway.app import Viewer, viewer
from tests.records.desk import Desk


def _bare(v: Viewer, headers: list[tuple[str, str]], path: str = "/studies", provider: str = "st-elsewhere") -> int:
    return v.client.get(f"/{provider}/dicomweb{path}", headers=headers, base_url=v.desk.base_url).status_code


def test_a_token_opens_its_study(v: Viewer) -> None:
    rows = v.get("/studies").json
    assert rows is not None
    assert [row["0020000D"]["Value"] for row in rows] == [["1.2.3"]]


@pytest.mark.threat("O58")
def test_only_one_plain_bearer_token_is_taken(v: Viewer) -> None:
    token = v.token
    calls = v.desk.calls()
    for headers in (
        [],
        [("Authorization", "Bearer")],
        [("Authorization", f"Bearer  {token}")],
        [("Authorization", f"Bearer {token} ")],
        [("Authorization", f"Bearer {token},{token}")],
        [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
        [("Authorization", f"Basic {token}")],
        [("Authorization", f"Bearer {token[:-1]}")],
        [("Authorization", "Bearer " + "x" * 9000)],
        [("Cookie", f"__Host-smartapp={token}")],
    ):
        assert _bare(v, headers) == 401
    assert _bare(v, [], f"/studies?access_token={token}") == 401
    assert v.desk.calls() == calls


def test_the_refusal_says_how_to_ask(v: Viewer) -> None:
    response = v.client.get("/st-elsewhere/dicomweb/studies", base_url=v.desk.base_url)
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert response.headers["Cache-Control"] == "no-store"


def test_another_hospitals_address_does_not_take_it(v: Viewer) -> None:
    assert _bare(v, [("Authorization", f"Bearer {v.token}")], provider="mercy") == 401


@pytest.mark.threat("A20")
def test_it_is_over_with_its_session_and_its_time(desk: Desk) -> None:
    one, two = viewer(desk), viewer(desk)
    desk.house.identity.end(one.principal.session_id)
    assert one.get("/studies").status_code == 401
    assert two.get("/studies").status_code == 200
    desk.house.clock.advance(301)
    assert two.get("/studies").status_code == 401


@pytest.mark.threat("A24")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("study", ["1.4", "1.8", "9.9"])
def test_another_study_is_as_one_that_does_not_exist(v: Viewer, study: str, method: str) -> None:
    v.get("/studies")
    calls = v.desk.calls()
    answers = set()
    for tail in ("", "/metadata", "/series", "/instances", "/series/1.4.1", "/series/1.8.1/instances/1.8.1.1"):
        response = v.get(f"/studies/{study}{tail}", method=method, Range="bytes=0-0,0-0", **{"If-None-Match": '"x"'})
        answers.add((response.status_code, response.headers["Content-Type"], response.data.partition(b"\n")[0]))
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert v.desk.calls() == calls
    assert v.desk.kinds().count("authz.denied") == 6
