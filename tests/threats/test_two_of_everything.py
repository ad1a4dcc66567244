"""Two browsers, two patients, two hospitals, two tabs: nothing of one ever shows in the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartapp.web.rules import Rule
from tests.threats.addresses import addresses
from tests.threats.composed import OURS, Browser, Composed
from tests.threats.hospital import Hospital

NAMES = {"ana": "Ana Canaryvera", "ben": "Ben Canaryfor", "m-ana": "Ana M. Canaryvera"}


def _tokens_asked(hospital: Hospital) -> int:
    return len(hospital.ehr.token_requests)


@pytest.mark.threat("S5")
def test_the_same_launch_twice_is_two_flows_each_of_its_browser(shared: Composed) -> None:
    mine, other = shared.browser(), shared.browser()
    hospital = shared.first
    sent = [browser.launch(hospital, "handle-9").headers["Location"] for browser in (mine, mine, other)]
    states = [parse_qs(urlsplit(url).query)["state"][0] for url in sent]
    assert len(set(states)) == 3
    asked = _tokens_asked(hospital)
    assert mine.back(hospital.consent(sent[2], "ana")).status_code == 400
    assert other.back(hospital.consent(sent[0], "ana")).status_code == 400
    assert _tokens_asked(hospital) == asked
    assert mine.back(hospital.consent(sent[1], "ana")).status_code == 303


@pytest.mark.threat("S5")
@pytest.mark.threat("P13")
def test_a_launch_for_ana_while_ben_is_signed_in_opens_anas_record_and_ends_bens(shared: Composed) -> None:
    browser = shared.signed_in("ben")
    bens = browser.ctx
    browser.my()
    sent = browser.launch(shared.first).headers["Location"]
    assert NAMES["ben"] in browser.my().text
    answer = browser.back(shared.first.consent(sent, "ana"))
    browser.ctx = answer.headers["Location"].strip("/").split("/")[-1]
    assert NAMES["ana"] in browser.my().text
    assert NAMES["ben"] not in browser.my().text
    stale = browser.get(f"/my/{bens}/")
    assert stale.status_code == 409
    assert not any(name in stale.text for name in NAMES.values())


Params = dict[str, list[str]]
BAD_STATES: dict[str, Callable[[Params, list[str]], Params]] = {
    "none": lambda params, _other: {name: value for name, value in params.items() if name != "state"},
    "made up": lambda params, _other: {**params, "state": [secrets.token_urlsafe(32)]},
    "twice": lambda params, _other: {**params, "state": [*params["state"], *params["state"]]},
    "of another browser": lambda params, other: {**params, "state": other},
    "empty": lambda params, _other: {**params, "state": [""]},
    "iss of another": lambda params, _other: {**params, "iss": ["https://evil.example"]},
    "no iss": lambda params, _other: {name: value for name, value in params.items() if name != "iss"},
    "no code": lambda params, _other: {name: value for name, value in params.items() if name != "code"},
    "an error beside": lambda params, _other: {**params, "error": ["access_denied"], "iss": ["https://evil.example"]},
}


@pytest.mark.clause("SMART 2.2", "4", "60", "61")
@pytest.mark.threat("S6")
@pytest.mark.threat("S7")
@pytest.mark.threat("S8")
@pytest.mark.parametrize("bad", BAD_STATES)
def test_a_callback_that_is_not_this_browsers_changes_nothing(shared: Composed, bad: str) -> None:
    """The victim is Ben, signed in; the callback is made of a sign-in that somebody else began."""
    ben, attacker = shared.signed_in("ben"), shared.browser()
    cookie = ben.cookie()
    params = shared.first.consent(ben.start(), "ana")
    other = parse_qs(urlsplit(attacker.start()).query)["state"]
    asked = _tokens_asked(shared.first) + _tokens_asked(shared.second)
    answer = ben.back(BAD_STATES[bad](params, other))
    assert answer.status_code == 400
    assert not any(params[name][0] in answer.text for name in ("code", "state"))
    assert _tokens_asked(shared.first) + _tokens_asked(shared.second) == asked
    assert ben.cookie() == cookie
    assert NAMES["ben"] in ben.my().text
    assert any(kind.startswith("smart.") and kind != "smart.launch" for kind in shared.kinds()[-3:])


@pytest.mark.clause("SMART 2.2", "4", "60")
@pytest.mark.threat("S6")
def test_a_state_is_good_once_and_for_its_own_hospital(shared: Composed) -> None:
    browser = shared.browser()
    params = shared.first.consent(browser.start(), "ana")
    assert browser.back(params).status_code == 303
    asked = _tokens_asked(shared.first)
    assert browser.back(params).status_code == 400
    assert _tokens_asked(shared.first) == asked
    first = parse_qs(urlsplit(browser.start(shared.first)).query)["state"]
    mixed = shared.second.consent(browser.start(shared.second), "m-ana")
    calls = _tokens_asked(shared.first), _tokens_asked(shared.second)
    assert browser.back({**mixed, "state": first}).status_code == 400
    assert (_tokens_asked(shared.first), _tokens_asked(shared.second)) == calls


@pytest.mark.threat("S13")
def test_who_acts_for_another_is_told_so_on_every_page(shared: Composed) -> None:
    browser = shared.browser()
    params = shared.first.consent(browser.start(), "ana")
    shared.first.ehr.claims.update(sub="person-dana", fhirUser=f"{shared.first.ehr.iss}/Patient/ben")
    answer = browser.back(params)
    browser.ctx = answer.headers["Location"].strip("/").split("/")[-1]
    for path in ("", "studies/1.2.3", "studies/1.2.3/series/1.2.3.1", "sessions"):
        text = browser.my(path).text
        assert NAMES["ana"] in text
        assert "representative" in text, path
    assert "smart.context.mismatch" in shared.kinds()


@pytest.mark.threat("S13")
@pytest.mark.threat("S14")
@pytest.mark.parametrize(
    ("user", "status"),
    [("https://evil.example/Patient/ana", 400), ("../Patient/ana", 400), ("Device/1", 400), ("Practitioner/9", 403),
     ("Patient/ana/extra", 400), ("", 400), ("Patient/" + "a" * 65, 400)],
)  # fmt: skip
def test_anybody_else_gets_no_session(shared: Composed, user: str, status: int) -> None:
    browser = shared.browser()
    params = shared.first.consent(browser.start(), "ana")
    shared.first.ehr.claims.update(fhirUser=user)
    kinds = len(shared.kinds())
    answer = browser.back(params)
    assert answer.status_code == status
    assert browser.cookie() == ""
    assert "session.open" not in shared.kinds()[kinds:]
    assert NAMES["ana"] not in answer.text


@pytest.mark.threat("S21")
def test_a_page_of_the_record_before_is_409_on_every_route(shared: Composed) -> None:
    browser = shared.signed_in("ana")
    old = browser.ctx
    browser.sign_in("m-ana", shared.second)
    fresh = browser.csrf()
    calls = shared.calls()
    for address in addresses(shared, old):
        if address.rule is Rule.SESSION and f"/{old}/" in address.path:
            method = "GET" if "GET" in address.methods else "POST"
            answer = browser.open(address.path, method=method, data={"csrf_token": fresh}, headers=OURS)
            assert answer.status_code == 409, address
            assert not any(name in answer.text for name in NAMES.values()), address
    assert shared.calls() == calls
    assert NAMES["m-ana"] in browser.my().text


@pytest.mark.threat("S21")
def test_no_ones_context_opens_anothers_record(shared: Composed) -> None:
    ana, ben = shared.signed_in("ana"), shared.signed_in("ben")
    calls = shared.calls()
    for mine, other in ((ana, ben), (ben, ana)):
        assert mine.get(f"/my/{other.ctx}/").status_code == 409
        assert mine.post(f"/my/{other.ctx}/studies/1.2.3/viewer-token").status_code == 409
        assert mine.post(f"/my/{mine.ctx}/sessions/{_session_of(other)}/end").status_code == 404
    assert shared.calls() == calls
    assert {ana.my().status_code, ben.my().status_code} == {200}


def _session_of(browser: Browser) -> str:
    session = browser.composed.house.app.extensions["smartapp.parts"].identity.lookup(browser.cookie())
    return str(session.session_id)


@pytest.mark.clause("SMART 2.2", "147")
@pytest.mark.threat("S17")
@pytest.mark.parametrize(
    "granted",
    [
        "openid fhirUser launch/patient",
        "openid fhirUser patient/*.cruds system/*.rs x",
        None,
        "fhirUser patient/ImagingStudy.rs openid",
    ],
)
def test_less_or_more_than_asked_is_a_page_all_the_same(shared: Composed, granted: str | None) -> None:
    browser = shared.browser()
    params = shared.first.consent(browser.start(), "ana")
    before = dict(shared.first.ehr.answer)
    shared.first.ehr.answer["scope"] = granted
    if granted is None:
        del shared.first.ehr.answer["scope"]
    try:
        answer = browser.back(params)
        assert answer.status_code == 303
        browser.ctx = answer.headers["Location"].strip("/").split("/")[-1]
        assert browser.my().status_code < 500
    finally:
        shared.first.ehr.answer.clear()
        shared.first.ehr.answer.update(before)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "finish", "look", "token", "leave"]),
        st.integers(0, 1),
        st.sampled_from(["ana", "ben", "m-ana"]),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=14,
)


@pytest.mark.threat("P13")
@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_however_two_people_take_turns_each_sees_their_own(
    shared: Composed, steps: list[tuple[str, int, str, int]]
) -> None:
    """The model: a browser shows the record of its last finished sign-in, until it signs out; nothing else."""
    table = Table(shared)
    for what, who, patient, nth in steps:
        getattr(table, what)(who, patient, nth)
    for who in (0, 1):
        table.look(who, "", 0)


class Table:
    """Two browsers, the sign-ins that wait in each, the record each has open, and the viewer tokens that were given."""

    def __init__(self, composed: Composed) -> None:
        self.composed = composed
        self.browsers = [composed.browser(), composed.browser()]
        self.pending: list[tuple[int, Hospital, str]] = []
        self.open: list[str] = ["", ""]
        self.tokens: list[tuple[int, str, str]] = []

    def start(self, who: int, patient: str, _nth: int) -> None:
        hospital = self.composed.second if patient == "m-ana" else self.composed.first
        self.pending.append((who, hospital, self.browsers[who].start(hospital)))

    def finish(self, who: int, patient: str, nth: int) -> None:
        """Comes back with one of the waiting sign-ins, perhaps one that the other browser began."""
        if not self.pending:
            return
        owner, hospital, url = self.pending.pop(nth % len(self.pending))
        chosen = "m-ana" if hospital is self.composed.second else patient.removeprefix("m-")
        browser = self.browsers[who]
        answer = browser.back(hospital.consent(url, chosen))
        assert answer.status_code == (303 if owner == who else 400)
        if owner == who:
            browser.ctx = answer.headers["Location"].strip("/").split("/")[-1]
            self.open[who] = chosen

    def look(self, who: int, _patient: str, _nth: int) -> None:
        for at, browser in enumerate(self.browsers):
            answer = self.browsers[who].get(f"/my/{browser.ctx or 'ctx-none'}/")
            if at == who and self.open[who]:
                assert answer.status_code == 200
                assert f">{NAMES[self.open[who]]}<" in answer.text
            else:
                assert answer.status_code == (409 if self.open[who] else 401)
            shown = [
                name for patient, name in NAMES.items() if patient != self.open[who] and f">{name}<" in answer.text
            ]
            assert shown == []

    def token(self, who: int, _patient: str, _nth: int) -> None:
        if self.open[who]:
            study = "1.8" if self.open[who] == "ben" else "1.2.3"
            self.tokens.append((who, self.open[who], self.browsers[who].viewer_token(study)))
        for owner, patient, token in self.tokens:
            provider = "mercy" if patient == "m-ana" else "st-elsewhere"
            answer: Any = self.browsers[1 - owner].dicomweb("/studies", token, provider)
            assert answer.status_code in {200, 401}
            if answer.status_code == 200:
                assert self.open[owner] == patient

    def leave(self, who: int, _patient: str, _nth: int) -> None:
        if self.open[who]:
            assert self.browsers[who].post("/sign-out").status_code == 303
            self.open[who] = ""
