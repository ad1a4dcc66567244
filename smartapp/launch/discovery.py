"""Where an EHR's authorization server is: `{iss}/.well-known/smart-configuration`, and where the keys of its issuer
are: `{issuer}/.well-known/openid-configuration`. Both fetched and checked.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from smartapp.clock import Clock
from smartapp.errors import UpstreamMalformed
from smartapp.launch.checks.metadata import CODE, read_issuer, read_metadata
from smartapp.launch.model import Metadata
from smartapp.launch.refusals import refuse
from smartapp.launch.strict_json import json_object
from smartapp.launch.urls import Trust
from smartapp.outbound.service import Answer, Door

MAX_BYTES = 256 * 1024
MAX_AGE = timedelta(hours=1)
PATH = "/.well-known/smart-configuration"
OPENID_PATH = "/.well-known/openid-configuration"


def fetch_json(get: Callable[[str], Answer], url: str, code: str) -> dict[str, object]:
    """The JSON object that `url` answers with: 200, said to be JSON, not moved. Raises Refusal(`code`) otherwise.

    An EHR that does not answer raises UpstreamDown or UpstreamSlow, which are not the EHR's word on anything.
    """
    try:
        answer = get(url)
    except UpstreamMalformed as error:
        refuse(code, error.code)
    if answer.status != 200:
        refuse(code, f"status {answer.status}")
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in {"application/json", "application/jwk-set+json", "application/fhir+json"}:
        refuse(code, "content type")
    try:
        return json_object(answer.body)
    except ValueError:
        return refuse(code, "not JSON")


class Discovery:
    """Discovery of every provider, remembered in this process for at most an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[datetime, Metadata]] = {}
        self._lock = Lock()

    def of(self, iss: str, door: Door, trust: Trust) -> Metadata:
        """What the EHR with FHIR base `iss` says of its authorization server.

        Raises Refusal (`smart.discovery.bad`) when it says what we cannot trust, Upstream errors when it is silent.
        """
        with self._lock:
            kept = self._known.get(iss)
        if kept and self._clock.now() - kept[0] < MAX_AGE:
            return kept[1]
        metadata = self._fetch(iss, door, trust)
        with self._lock:
            self._known[iss] = (self._clock.now(), metadata)
        return metadata

    @staticmethod
    def _fetch(iss: str, door: Door, trust: Trust) -> Metadata:
        url = iss.rstrip("/") + PATH
        if not trust.allows(url):
            refuse(CODE, "iss: origin")

        def get(address: str) -> Answer:
            return door.request("GET", address, headers={"Accept": "application/json"}, max_bytes=MAX_BYTES)

        document = fetch_json(get, url, CODE)
        openid = fetch_json(get, read_issuer(document, trust).rstrip("/") + OPENID_PATH, CODE)
        return read_metadata(document, openid, iss, trust)
