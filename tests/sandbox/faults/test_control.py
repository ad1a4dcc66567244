"""The faults address: what it lists, takes and refuses."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from smartapp.sandbox.faults.catalogue import KINDS
from tests.sandbox.faults.conftest import Bench


def call(at: Bench, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{at.faults}{path}", json=body, timeout=10)


def status_of(at: Bench, path: str) -> int:
    return requests.get(f"{at.base}{path}", timeout=10).status_code


def test_it_lists_every_fault_with_a_sentence(pacs: Bench) -> None:
    listed = call(pacs, "GET", "/").json()
    assert {part: [each["fault"] for each in faults] for part, faults in listed["faults"].items()} == {
        part: list(kinds) for part, kinds in KINDS.items()
    }
    assert all(each["sentence"] for faults in listed["faults"].values() for each in faults)
    assert (listed["set"], listed["clock"], listed["trapped"]) == ({"ehr": [], "pacs": []}, 0, 0)


def test_times_and_match(pacs: Bench) -> None:
    pacs.set("503", times=2, match="/studies/*/series")
    assert status_of(pacs, "/studies/1") == 200
    assert [status_of(pacs, "/studies/1/series?x=1") for _ in range(3)] == [503, 503, 200]


def test_put_sets_one_post_adds_delete_clears(pacs: Bench) -> None:
    call(pacs, "PUT", "/pacs", {"fault": "500", "match": "/studies/1"})
    call(pacs, "POST", "/pacs", {"fault": "503", "match": "/studies/2"})
    assert [status_of(pacs, f"/studies/{n}") for n in (1, 2, 3)] == [500, 503, 200]
    call(pacs, "PUT", "/pacs", {"fault": "429"})
    assert status_of(pacs, "/studies/1") == 429
    assert call(pacs, "DELETE", "/pacs").json()["set"] == {"ehr": [], "pacs": []}
    assert status_of(pacs, "/studies/1") == 200


def test_the_clock_is_set_shifted_further_and_set_back(pacs: Bench) -> None:
    assert call(pacs, "PUT", "/clock", {"seconds": 60}).json()["clock"] == 60
    assert call(pacs, "POST", "/clock", {"seconds": -90}).json()["clock"] == -30
    assert call(pacs, "PUT", "/clock", {"seconds": 10**12}).status_code == 400
    pacs.set("500")
    cleared = call(pacs, "DELETE", "/").json()
    assert (cleared["clock"], cleared["set"]) == (0, {"ehr": [], "pacs": []})


@pytest.mark.parametrize(
    "body",
    [
        {}, [], None, {"fault": "nope"}, {"fault": "wrong-nonce"}, {"fault": "500", "times": 0},
        {"fault": "500", "times": True}, {"fault": "500", "times": 1.5}, {"fault": "500", "match": 1},
        {"fault": "500", "seconds": 1}, {"fault": "slow", "seconds": "1"}, {"fault": "slow", "seconds": None},
        {"fault": "slow", "seconds": True}, {"fault": "slow", "seconds": -1}, {"fault": "500", "other": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_refused_with_a_sentence(pacs: Bench, body: Any) -> None:
    answer = call(pacs, "PUT", "/pacs", body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert pacs.board.state()["set"]["pacs"] == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/x"), ("PUT", "/app"), ("POST", "/"), ("DELETE", "/app")])
def test_other_addresses_are_not_there(pacs: Bench, method: str, path: str) -> None:
    assert call(pacs, method, path, {"fault": "500"}).status_code == 404


@pytest.mark.parametrize("seconds", ["1", 1.5, None, True])
def test_the_clock_takes_whole_seconds(pacs: Bench, seconds: Any) -> None:
    assert call(pacs, "PUT", "/clock", {"seconds": seconds}).status_code == 400
    assert call(pacs, "GET", "/").json()["clock"] == 0
