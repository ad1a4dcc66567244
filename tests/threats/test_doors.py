"""Who may call which route: every one is tried without a key, with the wrong one, and with somebody else's."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from smartapp.web.rules import Rule
from tests.threats.addresses import CANARIES, Address, bearer
from tests.threats.composed import OURS, Composed
from tests.threats.holding import Holder, methods


def _is_refused(address: Address, method: str, answer: TestResponse) -> bool:
    """Who shows nothing is refused, in the words of whom the surface is for."""
    status, kind = answer.status_code, answer.mimetype
    where = address.endpoint.split(".")[0]
    if address.rule in {Rule.SESSION, Rule.DEVELOPER}:
        return (status, kind) == (401, "text/html")
    if address.rule is Rule.BEARER:
        words = {"fhir": "application/fhir+json", "dicomweb": "text/plain", "userinfo": "application/json"}
        challenged = answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        return (status, kind, challenged) == (401, words[where], True)
    if where == "authorize":  # a person's browser is here: a page, and nobody is sent anywhere
        return (status, kind, "Location" in answer.headers) == (400, "text/html", False)
    if where == "logout":  # asked anew by address, where a page asks the person
        return (status, urlsplit(answer.headers["Location"]).path) == (303, address.path)
    if where == "register" and method != "POST":
        return (status, answer.get_json()["error"]) == (401, "invalid_token")
    return status in {400, 401} and answer.get_json()["error"] in {"invalid_request", "invalid_client_metadata"}


def test_every_route_says_who_may_call_it(walked: Composed, everything: Holder) -> None:
    """By its rule: without cookie or token nothing but the public routes answers with more than a refusal, by whichever
    method, and whatever it names is really there. No hospital is asked, but to sign somebody in.
    """
    seen = set()
    for address, method in ((a, m) for a in everything.addresses() for m in methods(a)):
        seen.add(address.rule)
        calls, kinds = walked.calls(), walked.kinds()
        answer = walked.browser().open(address.path, method=method)
        if address.rule is not Rule.PUBLIC:
            assert _is_refused(address, method, answer), (address, method, answer.text)
        if address.endpoint != "approval.page":
            assert walked.calls() == calls, address
        refusals = ("oauth.", "dcr.", "client.", "smart.")
        gained = {kind for kind in walked.kinds()[len(kinds) :] if not kind.startswith(refusals)}
        assert gained == set(), address
        assert not any(canary in answer.text for canary in CANARIES), address
    assert seen == set(Rule)
    assert everything.as_it_was()


def test_each_kind_of_door_takes_its_own_key_alone(walked: Composed, everything: Holder, other: Holder) -> None:
    """A cookie opens no door for tokens and a token none for cookies; a developer's cookie none of a patient's, and a
    patient's none of a developer's.
    """
    ana = everything.browser
    token = bearer(ana)
    only_patient, only_developer = walked.browser(), walked.browser()
    for name, browser in (("session", only_patient), ("developer", only_developer)):
        found = ana.client.get_cookie(f"__Host-smartapp-{name}", domain="images.example.org")
        assert found is not None
        browser.client.set_cookie(found.key, found.value, domain="images.example.org", secure=True)
    for address in everything.addresses():
        method = "GET" if "GET" in address.methods else methods(address)[0]
        if address.rule is Rule.BEARER:
            assert ana.open(address.path, method=method).status_code == 401, address
        if address.rule in {Rule.SESSION, Rule.DEVELOPER}:
            assert walked.browser().open(address.path, method=method, headers=token).status_code == 401, address
            foreign = only_developer if address.rule is Rule.SESSION else only_patient
            assert foreign.open(address.path, method=method, headers=OURS).status_code == 401, address
    assert only_developer.get("/developers/apps").status_code == 200
    assert only_patient.get(f"/my/{ana.ctx}/").status_code == 200


def test_doors_for_programs_look_at_no_cookie(walked: Composed, everything: Holder) -> None:
    """Any site's page may post to them: the answer to a browser that is signed in here is that to everybody."""
    for address, method in ((a, m) for a in everything.addresses() if a.rule is Rule.CLIENT for m in methods(a)):
        for headers in ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, OURS):
            form = {**everything.known, "token": "x", "grant_type": "refresh_token", "refresh_token": "x"}
            told = [
                browser.open(address.path, method=method, data=form, headers=headers)
                for browser in (everything.browser, walked.browser())
            ]
            assert [each.status_code for each in told] == [told[1].status_code] * 2, address
            assert _lasting(told[0]) == _lasting(told[1]), address
            assert not any("Set-Cookie" in each.headers for each in told), address
    assert everything.as_it_was()


def _lasting(answer: TestResponse) -> str:
    """The answer without the reference of its request."""
    return answer.text.replace(answer.headers["X-Request-Id"], "")


@pytest.mark.threat("O56")
@pytest.mark.threat("W1")
def test_another_developers_app_is_not_there(walked: Composed, everything: Holder, other: Holder) -> None:
    """Somebody else is signed in, and his forms are his own: what they name is Ana's."""
    tried = 0
    for address, method in ((a, m) for a in everything.addresses() for m in methods(a)):
        if address.rule is Rule.DEVELOPER and "client_id" in address.arguments:
            form = other.form(address) if method == "POST" else None
            answer = other.browser.open(address.path, method=method, data=form, headers=OURS)
            assert answer.status_code == 404, (address, method)
            assert everything.known["client_id"] not in answer.text
            tried += 1
    assert tried >= 6
    assert everything.as_it_was()
    assert other.as_it_was()
