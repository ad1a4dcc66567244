"""What OHIF's page may ask of our origin, and that nobody else's page may."""

import pytest

from tests.ohif.site import ORIGIN, Side, our_side
from tests.records.desk import Desk

pytestmark = pytest.mark.promise("A3")

FOREIGN = ["http://127.0.0.1:8125", "http://localhost:8124", "https://127.0.0.1:8124", f"{ORIGIN}.evil.example", "null"]


def test_a_code_becomes_a_token_for_the_page(side: Side) -> None:
    answer = side.post("/ohif/token", json={"code": side.code()})
    assert answer.status_code == 200
    given = answer.json
    assert given is not None
    assert given.pop("access_token").startswith("svt_")
    assert given == {
        "token_type": "Bearer",
        "expires_in": 300,
        "dicomweb": f"{side.desk.base_url}/st-elsewhere/dicomweb",
        "study": "1.2.3",
    }
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Expose-Headers" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert "Origin" in answer.headers.getlist("Vary")


def test_a_code_used_twice_or_late_or_invented_is_refused_readably(side: Side) -> None:
    used, late = side.code(), side.code()
    side.post("/ohif/token", json={"code": used})
    side.desk.house.clock.advance(31)
    for code in (used, late, "soc_" + "A" * 43):
        answer = side.post("/ohif/token", json={"code": code})
        assert answer.status_code == 401
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert code not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"soc_"', b'{"code": 5}', b'{"code": "soc_x\\u0000"}', b"{" * 60_000, b"\xff"]
)
def test_what_is_no_code_is_400(side: Side, body: bytes) -> None:
    assert side.post("/ohif/token", data=body, content_type="application/json").status_code == 400


@pytest.mark.threat("W1")
@pytest.mark.parametrize("origin", [*FOREIGN, None])
def test_another_page_gets_nothing_and_uses_nothing_up(side: Side, origin: str | None) -> None:
    code, token = side.code(), side.token()
    for answer in (
        side.post("/ohif/token", origin=origin, json={"code": code}),
        side.post("/ohif/renew", origin=origin, token=token),
    ):
        assert answer.status_code == 400
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert side.post("/ohif/token", json={"code": code}).status_code == 200


def test_renewal_takes_the_token_from_the_header_only(side: Side) -> None:
    token = side.token()
    answer = side.post("/ohif/renew", token=token)
    assert answer.json is not None
    assert answer.json["access_token"] not in {token, None}
    for wrong in (
        side.post("/ohif/renew", json={"token": token}),
        side.post(f"/ohif/renew?access_token={token}"),
        side.post("/ohif/renew", token=f"{token} "),
        side.post("/ohif/renew", token=token[:-1]),
    ):
        assert wrong.status_code == 401


@pytest.mark.promise("E3")
def test_signing_out_ends_it_for_the_page(side: Side) -> None:
    token = side.token()
    assert side.get("/studies", token).status_code == 200
    side.desk.house.identity.end(side.principal.session_id)
    for answer in (side.get("/studies", token), side.post("/ohif/renew", token=token)):
        assert answer.status_code == 401
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_the_token_reaches_the_patients_other_studies_and_nobody_elses(side: Side) -> None:
    token = side.token()
    rows = side.get("/studies", token).json
    assert rows is not None
    uids = {row["0020000D"]["Value"][0] for row in rows}
    assert "1.2.3" in uids
    assert len(uids) > 1
    for uid in uids:
        assert side.get(f"/studies/{uid}/series", token).status_code == 200
    calls = side.desk.calls()
    for foreign in ("1.8", "9.9"):
        assert side.get(f"/studies/{foreign}/series", token).status_code == 404
    assert side.desk.calls() == calls


def _ask(side: Side, path: str, method: str, origin: str | None = ORIGIN) -> dict[str, str]:
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    headers |= {"Origin": origin} if origin else {}
    answer = side.client.options(path, headers=headers, base_url=side.desk.base_url)
    told = {name: value for name, value in answer.headers if name.startswith("Access-Control-")}
    return {"status": str(answer.status_code), **told}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/ohif/token", "POST"),
        ("/ohif/renew", "POST"),
        ("/st-elsewhere/dicomweb/studies", "GET"),
        ("/st-elsewhere/dicomweb/studies/1.2/series/1.3/instances/1.4/frames/1", "GET"),
    ],
)
def test_browsers_may_send_tokens_from_ohifs_page_only(side: Side, path: str, method: str) -> None:
    told = _ask(side, path, method)
    assert told.pop("Access-Control-Allow-Methods").split(", ")[0] == method
    assert told == {
        "status": "204",
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Headers": "Authorization, Accept, Content-Type",
        "Access-Control-Max-Age": "600",
    }
    for origin in (*FOREIGN, None):
        assert _ask(side, path, method, origin) == {"status": "405"}


@pytest.mark.parametrize("path", ["/my/ctx/studies/1.2.3/ohif", "/my/ctx/", "/healthz", "/static/app.css"])
def test_no_page_of_ours_may_be_read_from_there(side: Side, path: str) -> None:
    answer = side.client.get(path, headers={"Origin": ORIGIN}, base_url=side.desk.base_url, buffered=True)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in _ask(side, path, "POST")


def test_without_an_ohif_no_origin_may_read_anything(desk: Desk) -> None:
    side = our_side(desk, configured=False)
    token, _ = desk.house.viewer_tokens.issue(side.principal, "1.2.3")
    answer = side.get("/studies", token)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert _ask(side, "/st-elsewhere/dicomweb/studies", "GET") == {"status": "405"}
    assert side.post("/ohif/token", json={"code": "soc_" + "A" * 43}).status_code == 404
