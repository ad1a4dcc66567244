"""Forms of other sites and other people: every route that changes something is tried, whichever there will be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from smartapp.web.rules import Rule
from tests.threats.addresses import Address
from tests.threats.composed import BASE, Composed
from tests.threats.holding import LEAVING, Holder, holder, only_unsafe, sent

Forgery = Callable[[Holder, Holder, Address], int]


def _with(held: Holder, address: Address, **changed: str) -> dict[str, Any]:
    """A form that would do something, but for what is changed of it. What anybody may send holds no token."""
    form = held.form(address)
    return {"data": {**form, **changed} if address.rule is not Rule.PUBLIC else {}}


def _other(rule: Rule) -> Rule:
    return Rule.SESSION if rule is Rule.DEVELOPER else Rule.DEVELOPER


FORGERIES: dict[str, Forgery] = {
    "no token": lambda h, _b, a: sent(h, a, **_with(h, a, csrf_token="")),
    "another session's token": lambda h, b, a: sent(h, a, **_with(h, a, csrf_token=b.csrf(a.rule))),
    "the other session's token": lambda h, _b, a: sent(h, a, **_with(h, a, csrf_token=h.csrf(_other(a.rule)))),
    "JSON": lambda h, _b, a: sent(h, a, json=h.form(a)),
    "plain text": lambda h, _b, a: sent(h, a, data=json.dumps(h.form(a)), content_type="text/plain"),
    "from another site": lambda h, _b, a: sent(h, a, data=h.form(a), headers={"Sec-Fetch-Site": "cross-site"}),
    "from a neighbour": lambda h, _b, a: sent(h, a, data=h.form(a), headers={"Sec-Fetch-Site": "same-site"}),
    "from another origin": lambda h, _b, a: sent(h, a, data=h.form(a), headers={"Origin": f"{BASE}.evil"}),
    "from nowhere": lambda h, _b, a: sent(h, a, data=h.form(a), headers={"Origin": "null"}),
    "by GET": lambda h, _b, a: h.browser.get(a.path, query_string=h.form(a)).status_code,
}  # fmt: skip


@pytest.mark.threat("W1")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forged_request_changes_anything(walked: Composed, everything: Holder, other: Holder, forgery: str) -> None:
    """Of a patient, of a developer, or of who is neither. Nobody is signed in, out, or up by it; nothing is allowed,
    changed or sent, and the trail says no more than that somebody tried.
    """
    before, asked = walked.kinds(), walked.calls()
    tried = only_unsafe(everything) if forgery == "by GET" else everything.unsafe()
    assert {address.rule for address in tried} == {Rule.SESSION, Rule.DEVELOPER, Rule.PUBLIC}
    for address in tried:
        assert FORGERIES[forgery](everything, other, address) in {400, 403, 405}, address
    assert set(walked.kinds()[len(before) :]) <= {"csrf.fail"}
    assert walked.calls() == asked
    assert everything.as_it_was()


@pytest.mark.threat("W1")
def test_the_same_requests_do_something_where_they_are_the_persons_own(walked: Composed) -> None:
    """Else the forgeries would show nothing. What ends the sessions, or takes away what is asked about, comes last."""
    held = holder(walked)
    last = {"apps.revoke": 1, "developers.delete": 2, "developers.sign_in": 3, "approval.decide": 3}
    order = dict.fromkeys(LEAVING, 4)
    done = {}
    for address in sorted(held.unsafe(), key=lambda a: last.get(a.endpoint, order.get(a.endpoint, 0))):
        if address.endpoint.endswith(LEAVING):
            continue
        done[address.endpoint] = sent(held, address, data=held.form(address))
    strange = {name: status for name, status in done.items() if status not in {200, 201, 303}}
    assert set(strange) <= NEED_MORE, strange


NEED_MORE = {
    "alerts.confirm", "apps.change", "apps.launch", "apps.preview", "approval.preview", "developers.new_secret",
    "patient.end_session",
}  # fmt: skip
"""Their own tests say what they want besides a token: here they refuse the form for what is in it."""
