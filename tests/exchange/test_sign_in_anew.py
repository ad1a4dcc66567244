"""When an app's wish for a later sign-in is met (OpenID Connect Core 1.0 §3.1.2.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartapp.exchange.approvals.model import Asked

ASKED = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def asked(**said: Any) -> Asked:
    return Asked("st-elsewhere", "app-1", "https://app.example.org/cb", "st", "openid", asked_at=ASKED, **said)


@pytest.mark.clause("OpenID Connect Core 1.0", "3.1.2.1")
@pytest.mark.parametrize(
    ("said", "age", "old"),
    [
        ({}, 3600, False),
        ({"prompt": "consent select_account"}, 3600, False),
        ({"prompt": "login"}, 1, True),
        ({"prompt": "consent login"}, 1, True),
        ({"max_age": 0}, 1, True),
        ({"max_age": 60}, 61, True),
        ({"max_age": 60}, 60, False),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_sign_in_is_old_by_what_the_ehr_says_or_by_when_the_session_began(
    said: dict[str, Any],
    age: int,
    old: bool,  # noqa: FBT001 -- parametrised
    told: bool,  # noqa: FBT001 -- parametrised
) -> None:
    proved = ASKED - age * SECOND
    began = ASKED - SECOND if told else proved
    assert asked(**said).sign_in_is_too_old(began, proved if told else None, ASKED) is old


@pytest.mark.clause("OpenID Connect Core 1.0", "3.1.2.1")
@pytest.mark.parametrize("said", [{"prompt": "login"}, {"max_age": 0}])
def test_nobody_is_sent_round_for_ever_by_an_ehr_that_does_not_ask_again(said: dict[str, Any]) -> None:
    long_ago = ASKED - timedelta(hours=8)
    assert not asked(**said).sign_in_is_too_old(ASKED + SECOND, long_ago, ASKED + 2 * SECOND)
    assert asked(**said).wants_sign_in
