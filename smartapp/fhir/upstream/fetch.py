"""Requests to one EHR's FHIR server: with the permit's token, to that server only."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from smartapp.consent.model import AnyPermit
from smartapp.errors import FORBIDDEN, NotFound, UpstreamError, UpstreamMismatch, UpstreamRefused
from smartapp.fhir.upstream.documents import Json, resource_in
from smartapp.fhir.upstream.references import Reference
from smartapp.outbound.service import Answer, Door, Outbound
from smartapp.settings import Provider
from smartapp.tokens.model import TokenSource

ACCEPT = "application/fhir+json"


class FhirServer:
    """One EHR under its FHIR `base`. The door opens to the base's own origin: a token goes nowhere else."""

    def __init__(self, base: str, door: Door, tokens: TokenSource, max_bytes: int) -> None:
        self.base = base.rstrip("/")
        self.max_bytes = max_bytes
        self._door = door
        self._tokens = tokens

    def get(
        self,
        permit: AnyPermit,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = ACCEPT,
        max_bytes: int | None = None,
    ) -> Answer:
        """One GET with the permit's token. After a 401 the token is dropped and one other is tried (RFC 6750 §3.1).

        Raises UpstreamRefused when that one is refused as well, Upstream errors when the EHR does not answer.
        """
        for _ in range(2):
            token = self._tokens.bearer(permit)
            headers = {"Authorization": f"Bearer {token}", "Accept": accept}
            answer = self._door.request(
                "GET", url, headers=headers, params=params, max_bytes=max_bytes or self.max_bytes
            )
            if answer.status != 401:
                return answer
            self._tokens.rejected(permit, token)
        raise UpstreamRefused

    def send(
        self, permit: AnyPermit, method: str, url: str, resource: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Answer:
        """One POST or PUT of a resource with the permit's token, never repeated by itself; after a 401 as `get`."""
        for _ in range(2):
            token = self._tokens.bearer(permit)
            sent = {"Authorization": f"Bearer {token}", "Accept": ACCEPT, "Content-Type": ACCEPT, **headers}
            answer = self._door.request(method, url, headers=sent, json=resource, max_bytes=self.max_bytes)
            if answer.status != 401:
                return answer
            self._tokens.rejected(permit, token)
        raise UpstreamRefused

    def read(self, permit: AnyPermit, reference: Reference) -> Json:
        """One resource, which is of the type and id that was asked for.

        Raises NotFound (404, 410), UpstreamRefused (403), UpstreamMismatch (another resource came).
        """
        answer = self.get(permit, f"{self.base}/{reference}")
        check_status(answer)
        resource = resource_in(answer)
        if resource["resourceType"] != reference.type or resource.get("id") != reference.id:
            raise UpstreamMismatch("ehr-mismatch")
        return resource

    def shown(self, permit: AnyPermit, reference: Reference) -> Json | None:
        """As `read`; None for what is not there and for what the EHR does not show us (403)."""
        try:
            return self.read(permit, reference)
        except NotFound:
            return None
        except UpstreamRefused as error:
            if error.code == FORBIDDEN:
                return None
            raise


def server_of(provider: Provider, outbound: Outbound, tokens: TokenSource, max_bytes: int) -> FhirServer:
    """The provider's EHR, behind a door of its own."""
    parts = urlsplit(provider.iss)
    door = outbound.for_origins(f"fhir:{provider.id}", (f"{parts.scheme}://{parts.netloc}",), ca_file=provider.ca_file)
    return FhirServer(provider.iss, door, tokens, max_bytes)


def check_status(answer: Answer) -> None:
    """Passes 200 only; raises what any other status means to whoever reads one thing."""
    if answer.status in {404, 410}:
        raise NotFound
    if answer.status == 403:
        raise UpstreamRefused(FORBIDDEN)
    if answer.status != 200:
        raise UpstreamError("ehr-status")
