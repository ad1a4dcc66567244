"""Writes Consents into the EHR: each once, whatever is lost on the way (FHIR R4 §3.1.0.8, §3.1.0.5)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from smartapp.consent.model import ConsentPermit
from smartapp.errors import FORBIDDEN, UpstreamError, UpstreamMalformed, UpstreamMismatch, UpstreamRefused
from smartapp.fhir.upstream.documents import Json, part, parts, resource_in, text
from smartapp.fhir.upstream.fetch import FhirServer, server_of
from smartapp.fhir.upstream.references import Reference, is_id, read_reference
from smartapp.outbound.service import Answer, Outbound
from smartapp.settings import Settings
from smartapp.tokens.model import TokenSource


class ConsentWriter:
    """Writes to every EHR that takes Consents. One per process; safe to share by threads.

    What goes wrong is raised: the caller tries again, and nothing is ever written twice.
    """

    def __init__(self, settings: Settings, outbound: Outbound, tokens: TokenSource) -> None:
        self._servers = {
            provider.id: server_of(provider, outbound, tokens, settings.upstreams.max_json_bytes)
            for provider in settings.providers
            if provider.consent == "write"
        }

    def write(self, permit: ConsentPermit, consent: Mapping[str, Any]) -> None:
        """Puts the permit's patient's `consent` in the place of the one with its identifier, or creates it.

        Raises UpstreamRefused when the EHR does not take our credential, or this from it; UpstreamError
        (`consent-changed`) when somebody wrote meanwhile; other Upstream errors when it gives no usable answer.
        """
        server = self._servers[permit.provider]
        [identifier] = consent["identifier"]
        condition = {
            "patient": permit.patient.patient_id,
            "identifier": f"{identifier['system']}|{identifier['value']}",
        }
        there = self._find(server, permit, condition)
        if there is None:
            there = self._create(server, permit, condition, consent)
        if there is not None and not _says(there, consent):
            self._update(server, permit, there, consent)

    def _find(self, server: FhirServer, permit: ConsentPermit, condition: Mapping[str, str]) -> Json | None:
        answer = server.get(permit, f"{server.base}/Consent", params=condition)
        _check(answer, {200})
        bundle = resource_in(answer)
        if bundle["resourceType"] != "Bundle":
            raise UpstreamMalformed("ehr-no-bundle")
        found = [entry for entry in (part(each, "resource") for each in parts(bundle, "entry")) if _is_consent(entry)]
        if len(found) > 1:
            raise UpstreamMalformed("consent-ambiguous")
        return self._own(server, permit, found[0]) if found else None

    def _create(
        self, server: FhirServer, permit: ConsentPermit, condition: Mapping[str, str], consent: Mapping[str, Any]
    ) -> Json | None:
        """None when it was made just now; else the one that another worker had made (200)."""
        headers = {"If-None-Exist": urlencode(condition)}
        answer = server.send(permit, "POST", f"{server.base}/Consent", consent, headers)
        _check(answer, {200, 201})
        if answer.status == 201:
            return None
        return self._own(server, permit, resource_in(answer)) if answer.body else self._find(server, permit, condition)

    def _update(self, server: FhirServer, permit: ConsentPermit, there: Json, consent: Mapping[str, Any]) -> None:
        """Only the version that was read is replaced, where the EHR has versions."""
        version = text(part(there, "meta").get("versionId"))
        headers = {"If-Match": f'W/"{version}"'} if version else {}
        url = f"{server.base}/Consent/{there['id']}"
        answer = server.send(permit, "PUT", url, {**consent, "id": there["id"]}, headers)
        _check(answer, {200, 201})

    @staticmethod
    def _own(server: FhirServer, permit: ConsentPermit, found: Json) -> Json:
        patient = read_reference(text(part(found, "patient").get("reference")), server.base)
        if not _is_consent(found) or patient != Reference("Patient", permit.patient.patient_id):
            raise UpstreamMismatch("ehr-mismatch")
        return found


def _is_consent(resource: Json) -> bool:
    return resource.get("resourceType") == "Consent" and is_id(resource.get("id"))


def _says(there: Json, consent: Mapping[str, Any]) -> bool:
    """Whether the EHR's already says this: what it added itself aside, and the receipt's own date."""
    return all(there.get(name) == value for name, value in consent.items() if name != "sourceAttachment")


def _check(answer: Answer, good: set[int]) -> None:
    if answer.status in good:
        return
    if answer.status == 403:
        raise UpstreamRefused(FORBIDDEN)
    raise UpstreamError("consent-changed" if answer.status in {409, 412} else "ehr-status")
