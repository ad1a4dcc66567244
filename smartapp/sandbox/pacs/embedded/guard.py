"""Who may read: the account of the configuration, or a token that the EHR vouches for."""

import hmac
import re
from dataclasses import dataclass

import requests
from werkzeug.datastructures import Authorization

from smartapp.sandbox.pacs.embedded.config import ArchiveConfig, Introspection

_TIMEOUT = 5.0
# No filtered scope: a PACS that cannot judge the filter must not take it for the whole.
_SCOPE = re.compile(r"(patient|user|system)/(\*|ImagingStudy)\.(\*|read|c?ru?d?s?)")


class Refused(Exception):
    """The caller may not read: 401 without good credentials, 403 without the right scope, 503 without an EHR."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Reader:
    """Who was let in. `patient_ids` is None for all patients, else the only PatientIDs that exist for this reader."""

    patient_ids: frozenset[str] | None = None


def admit(config: ArchiveConfig, credentials: Authorization | None) -> Reader:
    """The reader behind an Authorization header; raises Refused."""
    if credentials is None:
        raise Refused(401, "sign in first")
    if credentials.type == "basic" and _is_account(config, credentials):
        return Reader()
    if credentials.type == "bearer" and config.introspection and credentials.token:
        return _token(config, config.introspection, credentials.token)
    raise Refused(401, "these credentials are not known")


def _is_account(config: ArchiveConfig, credentials: Authorization) -> bool:
    user = hmac.compare_digest((credentials.username or "").encode(), config.user.encode())
    return hmac.compare_digest((credentials.password or "").encode(), config.password.encode()) and user


def _token(config: ArchiveConfig, introspection: Introspection, token: str) -> Reader:
    answer = _introspect(introspection, token)
    if answer.get("active") is not True:
        raise Refused(401, "the token is not active")
    if not any(_SCOPE.fullmatch(scope) for scope in str(answer.get("scope", "")).split()):
        raise Refused(403, "the token's scope does not cover imaging studies")
    persons = answer.get("persons")
    if not isinstance(persons, list):
        return Reader()
    return Reader(frozenset(mrn for person in persons for mrn in config.patients.get(str(person), ())))


def _introspect(introspection: Introspection, token: str) -> dict[str, object]:
    try:
        response = requests.post(
            introspection.url,
            data={"token": token},
            auth=(introspection.client_id, introspection.client_secret),
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        answer = response.json() if response.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise Refused(503, "the EHR does not answer") from error
    if not isinstance(answer, dict):
        raise Refused(503, "the EHR does not answer")
    return answer
