"""What the relays do to an answer, and that they do nothing to it otherwise."""

from __future__ import annotations

import itertools
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from smartapp.sandbox.faults.catalogue import KINDS
from smartapp.sandbox.faults.tricks import TRICKS
from tests.sandbox.faults.conftest import BOUNDARY, Bench, instance, multipart

STUDY = "/studies/1"
WHOLE = multipart([instance("1", 0), instance("1", 1)])


def get(at: Bench, path: str = STUDY) -> requests.Response:
    return requests.get(f"{at.base}{path}", timeout=10)


def test_without_a_fault_everything_passes_on_one_connection(pacs: Bench) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{pacs.base}{STUDY}", timeout=10).content == WHOLE
        sent = "x" * 300_000
        assert session.post(f"{pacs.base}/", data=sent, timeout=10).json()["body"] == sent
        assert session.get(f"{pacs.base}/any?thing=1", timeout=10).json() == {"path": "/any?thing=1"}


def test_every_kind_is_done_by_a_trick_or_inside_the_ehr() -> None:
    kinds = [kind for part in KINDS.values() for kind in part.values()]
    assert {kind.name for kind in kinds if not kind.inside} == set(TRICKS)
    assert all(kind.sentence.endswith(".") for kind in kinds)


@pytest.mark.parametrize(
    ("fault", "status", "after"), [("429", 429, "9"), ("500", 500, None), ("503", 503, None), ("offline", 503, "9")]
)
def test_a_refusal(pacs: Bench, fault: str, status: int, after: str | None) -> None:
    pacs.set(fault, **({"seconds": 9} if after else {}))
    answer = get(pacs)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, after)
    assert b"DICM" not in answer.content


def test_a_date_to_come_back_at_is_of_the_shifted_clock(pacs: Bench) -> None:
    requests.put(f"{pacs.faults}/clock", json={"seconds": 86400}, timeout=10)
    pacs.set("429-date", seconds=60)
    moment = parsedate_to_datetime(get(pacs).headers["Retry-After"])
    assert timedelta(hours=23) < moment - datetime.now(UTC) < timedelta(hours=25)


def test_slow_is_whole_in_the_end(pacs: Bench) -> None:
    pacs.set("slow", seconds=0.05)
    assert get(pacs).content == WHOLE


def test_a_web_page_instead(pacs: Bench) -> None:
    pacs.set("html")
    answer = get(pacs)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"DICM" not in answer.content


@pytest.mark.parametrize(("fault", "seconds"), [("short", None), ("reset", None), ("stall", 0.05)])
def test_half_a_body(pacs: Bench, fault: str, seconds: float | None) -> None:
    pacs.set(fault, **({"seconds": seconds} if seconds else {}))
    with requests.get(f"{pacs.base}{STUDY}", timeout=10, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(len(WHOLE))
        got = bytearray()
        with pytest.raises(requests.RequestException):
            got.extend(itertools.chain.from_iterable(answer.iter_content(1)))
    assert WHOLE.startswith(bytes(got))
    assert len(got) <= len(WHOLE) // 2


def test_another_patients_instance_in_place_of_the_last(pacs: Bench) -> None:
    pacs.set("wrong-study")
    assert get(pacs).content == multipart([instance("1", 0), instance("3", 0)])
    assert get(pacs, "/studies/1/series/7/instances/8").content == multipart([instance("3", 0)])


def test_no_closing_boundary(pacs: Bench) -> None:
    pacs.set("no-closing-boundary")
    answer = get(pacs)
    assert answer.content == WHOLE.removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())
    assert "Content-Length" not in answer.headers


def test_a_fault_that_cannot_be_here_does_not_happen(pacs: Bench) -> None:
    pacs.set("wrong-study", times=1)
    assert get(pacs, "/studies/1/series").json() == [{"0020000E": {"Value": ["7"]}}]
    assert pacs.board.state()["set"]["pacs"][0]["times"] == 1


def test_broken_json_and_a_byte_order_mark(ehr: Bench) -> None:
    good = get(ehr, "/h/fhir/Patient").content
    ehr.set("malformed-json")
    assert get(ehr, "/h/fhir/Patient").content == good[: len(good) // 2]
    ehr.set("bom")
    assert get(ehr, "/h/fhir/Patient").content == b"\xef\xbb\xbf" + good


def test_paging_that_never_ends_and_that_leads_away(ehr: Bench) -> None:
    ehr.set("paging-loop")
    page = get(ehr, "/h/fhir/Patient?_count=2").json()
    assert page["link"][-1] == {"relation": "next", "url": f"{ehr.base}/h/fhir/Patient?_count=2"}
    ehr.set("foreign-next")
    away = get(ehr, "/h/fhir/Patient").json()["link"][-1]["url"]
    assert not away.startswith(ehr.base)
    assert requests.get(away, timeout=10).json()["trapped"] == 1


def test_refresh_refused_refuses_no_code(ehr: Bench) -> None:
    ehr.set("refresh-refused")
    address = f"{ehr.base}/h/oauth/token"
    refused = requests.post(address, data={"grant_type": "refresh_token"}, timeout=10)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    assert requests.post(address, data={"grant_type": "authorization_code"}, timeout=10).status_code == 200


def test_a_revoked_token(ehr: Bench) -> None:
    ehr.set("token-revoked")
    answer = requests.get(f"{ehr.base}/h/fhir/Patient", headers={"Authorization": "Bearer x"}, timeout=10)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert get(ehr, "/h/fhir/metadata").status_code == 200


def test_the_ehr_is_told_what_only_it_can_do(ehr: Bench) -> None:
    ehr.set("wrong-nonce")
    assert requests.post(f"{ehr.base}/h/oauth/token", data="x", timeout=10).json()["fault"] == "wrong-nonce"
    assert requests.post(f"{ehr.base}/h/oauth/revoke", data="x", timeout=10).json()["fault"] is None


def test_a_request_that_is_none_only_ends_its_connection(pacs: Bench) -> None:
    with socket.create_connection(("127.0.0.1", int(pacs.base.rpartition(":")[2])), timeout=10) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert raw.recv(1) == b""
    assert get(pacs).content == WHOLE
