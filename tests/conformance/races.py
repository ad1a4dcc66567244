"""Many requests at one moment, to all workers, with a code, a refresh token, an assertion: what may come of each.

A race asserts all of it by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from joserfc import jwt

from smartapp.ids import new_id
from tests.authserver.house import BEARER, KEYS
from tests.conformance.site import OAUTH, PROVIDER, Patient, Site
from tests.support.workers import Answer, at_once

TOKEN = f"{OAUTH}/token"
READS = (
    f"/{PROVIDER}/fhir/Patient/ana",
    f"/{PROVIDER}/fhir/ImagingStudy?patient=ana",
    f"/{PROVIDER}/dicomweb/studies",
    f"{OAUTH}/userinfo",
)
GRACE = 11
"""Seconds after which a spent refresh token is one."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def said(answer: Answer) -> Any:
    assert answer.headers["Cache-Control"] == "no-store"
    return json.loads(answer.body)


def dead(site: Site, access: Sequence[str], refresh: Sequence[str], app_id: str) -> None:
    """On every worker, at each kind of address, and for refreshing."""
    with site.workers.lines(1) as lines:
        assert len({line.worker for line in lines}) == len(site.workers.pids)
        for line in lines:
            for number, token in enumerate(access):
                assert line.ask("GET", READS[number % len(READS)], bearer(token)).status == 401
            for token in refresh:
                answer = line.ask("POST", TOKEN, form=refreshing(token, app_id))
                assert (answer.status, said(answer)["error"]) == (400, "invalid_grant")


def redemptions(site: Site, patient: Patient) -> None:
    """One of them gets tokens, and as the others showed the code again those are dead."""
    app = site.app()
    before = site.high("oauth.code.replay")
    form = site.form(site.code(patient, app), app)
    with site.workers.lines() as lines:
        answers = at_once(lines, lambda line: line.ask("POST", TOKEN, form=form))
    assert Counter(answer.status for answer in answers) == {200: 1, 400: len(answers) - 1}
    won = next(said(answer) for answer in answers if answer.status == 200)
    assert {said(answer)["error"] for answer in answers if answer.status == 400} == {"invalid_grant"}
    assert site.high("oauth.code.replay") == before + len(answers) - 1
    dead(site, [won["access_token"]] * len(READS), [won["refresh_token"]], app.client_id)


def refreshes(site: Site, patient: Patient) -> None:
    """All get the one successor; the old one kills it once the time of grace is over."""
    app = site.app()
    first = site.tokens(patient, app)
    old = refreshing(first["refresh_token"], app.client_id)
    with site.workers.lines() as lines:
        answers = at_once(lines, lambda line: line.ask("POST", TOKEN, form=old))
    assert {answer.status for answer in answers} == {200}
    got = [said(answer) for answer in answers]
    successors = {each["refresh_token"] for each in got}
    assert len(successors) == 1
    assert len({each["access_token"] for each in got}) == len(got)
    assert _handed_out(site, app.client_id) == 2
    with site.workers.lines() as lines:
        read = at_once(lines, lambda line: line.ask("GET", READS[0], bearer(got[lines.index(line)]["access_token"])))
    assert {answer.status for answer in read} == {200}
    site.later(GRACE)
    before = site.high("oauth.refresh.reuse")
    with site.workers.lines() as lines:
        assert {answer.status for answer in at_once(lines, lambda line: line.ask("POST", TOKEN, form=old))} == {400}
    assert site.high("oauth.refresh.reuse") == before + 1
    dead(site, [each["access_token"] for each in [first, *got]], list(successors), app.client_id)


def stolen(site: Site, patient: Patient) -> None:
    """A thief's spent token and the app's newest at one moment: whoever comes first, nothing is left of the family."""
    app = site.app()
    first = site.tokens(patient, app)
    second = _refreshed(site, first["refresh_token"], app.client_id)
    site.later(GRACE)
    shown = (first["refresh_token"], second["refresh_token"])
    with site.workers.lines() as lines:
        answers = at_once(
            lines, lambda line: line.ask("POST", TOKEN, form=refreshing(shown[lines.index(line) % 2], app.client_id))
        )
    assert {answer.status for answer in answers} <= {200, 400}
    got = [said(answer) for answer in answers if answer.status == 200]
    assert len({each["refresh_token"] for each in got}) <= 1
    all_of = [first, second, *got]
    dead(
        site,
        [each["access_token"] for each in all_of],
        sorted({each["refresh_token"] for each in all_of}),
        app.client_id,
    )


def assertions(site: Site, _patient: Patient) -> None:
    """One signature, one token."""
    app = site.backend()
    before = site.high("client.auth.jti_replay")
    now = int(site.ground.clock.now().timestamp())
    claims = {"iss": app.client_id, "sub": app.client_id, "aud": site.issuer, "exp": now + 240, "jti": new_id("jti")}
    signed = jwt.encode({"alg": "ES384", "kid": "p384"}, claims, KEYS["ES384"], algorithms=["ES384"])
    form = {"grant_type": "client_credentials", "scope": "system/ImagingStudy.rs", "client_assertion_type": BEARER}
    with site.workers.lines() as lines:
        asked = {**form, "client_assertion": signed}
        answers = at_once(lines, lambda line: line.ask("POST", TOKEN, form=asked))
        answers += [line.ask("POST", TOKEN, form=asked) for line in lines[:: len(lines) // 4]]
    assert Counter(answer.status for answer in answers) == {200: 1, 401: len(answers) - 1}
    assert {said(answer)["error"] for answer in answers if answer.status == 401} == {"invalid_client"}
    assert site.high("client.auth.jti_replay") > before


def refreshing(token: str, client_id: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}


def _refreshed(site: Site, token: str, client_id: str) -> dict[str, Any]:
    with site.workers.lines(1) as lines:
        answer = lines[0].ask("POST", TOKEN, form=refreshing(token, client_id))
    assert answer.status == 200
    found = said(answer)
    assert isinstance(found, dict)
    return found


def _handed_out(site: Site, client_id: str) -> int:
    """How many refresh tokens there ever were of the app's one family."""
    query = (
        "SELECT count(*) FROM app_refresh_tokens AS t JOIN app_families AS f ON f.id = t.family_id "
        "WHERE f.client_id = :client"
    )
    return int(site.one(query, client=client_id))
