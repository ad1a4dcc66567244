"""The memory of the authorization server, where the order of two events matters and HTTP cannot choose it."""

from datetime import timedelta

import pytest

from smartapp.sandbox.ehr.state import Code, Grant, Spent, State

GRANT = Grant("a family", "other", ("patient/*.rs",), patient="ana")
HOUR = timedelta(hours=1)


@pytest.mark.clause("RFC 6749", "10.5")
def test_replay_between_taking_a_code_and_issuing_leaves_nothing_alive() -> None:
    state = State()
    value = state.add_code(Code(GRANT, "http://127.0.0.1:9/callback", "x" * 43))
    assert state.take_code(value) is not None
    with pytest.raises(Spent):
        state.take_code(value)
    with pytest.raises(Spent):
        state.issue(GRANT, GRANT.scopes, HOUR, refreshable=True)


@pytest.mark.clause("RFC 9700", "4.14.2")
def test_the_slower_of_two_refreshes_ends_the_family() -> None:
    state = State()
    _, refresh = state.issue(GRANT, GRANT.scopes, HOUR, refreshable=True)
    assert refresh is not None
    assert state.refresh(refresh) is not None
    rotated = state.rotate(refresh, GRANT.scopes, HOUR)
    assert rotated is not None
    assert state.access(rotated[0]) is not None
    with pytest.raises(Spent):
        state.rotate(refresh, GRANT.scopes, HOUR)
    assert state.access(rotated[0]) is None


def test_what_has_expired_is_gone() -> None:
    state = State()
    access, _ = state.issue(GRANT, GRANT.scopes, timedelta(0), refreshable=False)
    assert state.access(access) is None
