"""The files of a report (`presentedForm`; FHIR R4 datatypes.html#attachment, binary.html)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error

from smartapp.consent.model import Permit
from smartapp.errors import NotFound, UpstreamMalformed, UpstreamMismatch
from smartapp.fhir.upstream.documents import Json, is_fhir_json, parts, resource_in, text
from smartapp.fhir.upstream.fetch import ACCEPT, FhirServer, check_status
from smartapp.fhir.upstream.model import ReportAttachment
from smartapp.fhir.upstream.references import Reference, is_of, read_reference, reference_in
from smartapp.tokens.model import confined

MAX_BYTES = 20 * 2**20
_MOST_ENCODED = 4 * MAX_BYTES // 3 + 4096
_MEDIA = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")


def media_type(form: Json) -> str:
    """The declared type without parameters, lower case; `application/octet-stream` when it says nothing usable."""
    said = text(form.get("contentType"), 200).partition(";")[0].strip().lower()
    return said if _MEDIA.fullmatch(said) else "application/octet-stream"


def charset(form: Json) -> str:
    """The declared character set, UTF-8 if there is none."""
    found = re.search(r"charset=\"?([A-Za-z0-9._-]{1,40})", text(form.get("contentType"), 200))
    return found[1] if found else "utf-8"


def forms(resource: Json) -> list[Json]:
    """The forms in their order; an index always means the same one."""
    return list(parts(resource, "presentedForm"))


def offered(resource: Json, base: str) -> tuple[ReportAttachment, ...]:
    """The forms that can be had at all: those that are inline, or a resource of this EHR."""
    here = {index for index, form in enumerate(forms(resource)) if _is_here(form, base)}
    return tuple(each for each in listed(resource) if each.index in here)


def _is_here(form: Json, base: str) -> bool:
    return isinstance(form.get("data"), str) or _binary(form, base) is not None


def _binary(form: Json, base: str) -> Reference | None:
    """The Binary of this EHR that the form names: no other type holds a file, and what it holds is not the report's."""
    named = read_reference(text(form.get("url"), 2048), base)
    return named if named is not None and named.type == "Binary" else None


def listed(resource: Json) -> tuple[ReportAttachment, ...]:
    """Every form as something to download."""
    return tuple(
        ReportAttachment(index, media_type(form), text(form.get("title"), 200))
        for index, form in enumerate(forms(resource))
    )


def body_of(server: FhirServer, permit: Permit, form: Json) -> bytes:
    """The bytes of a form: inline, or a Binary of this EHR. At most 20 MiB.

    Raises NotFound when there are none, or they lie on another server: our token does not go there. Raises
    UpstreamMalformed for what cannot be decoded. Where the EHR does not keep our token to the patient, the Binary has
    to come as a resource, and must not be under somebody else's protection: UpstreamMismatch.
    """
    if isinstance(data := form.get("data"), str):
        return _decoded(data)
    reference = _binary(form, server.base)
    if reference is None:
        raise NotFound("report-attachment")
    declared = media_type(form)
    accept = f"{declared}, {ACCEPT};q=0.5" if confined(permit) else ACCEPT
    answer = server.get(permit, f"{server.base}/{reference}", accept=accept, max_bytes=_MOST_ENCODED)
    check_status(answer)
    if not confined(permit):
        return _in_binary(_own(server, permit, resource_in(answer)))
    if is_fhir_json(answer) and declared not in {"application/json", ACCEPT}:
        return _in_binary(resource_in(answer))
    return _bounded(answer.body)


def _own(server: FhirServer, permit: Permit, binary: Json) -> Json:
    """The Binary, unless what stands for its protection is another patient's (FHIR R4 binary.html, securityContext).
    Without a word on that it is protected as the report that names it.
    """
    if "securityContext" not in binary:
        return binary
    patient, guard = permit.patient.patient_id, reference_in(binary, "securityContext", server.base)
    if guard == Reference("Patient", patient):
        return binary
    if guard is None or guard.type == "Patient" or not is_of(server.read(permit, guard), patient, server.base):
        raise UpstreamMismatch("ehr-mismatch")
    return binary


def _in_binary(resource: Json) -> bytes:
    data = resource.get("data")
    if resource["resourceType"] != "Binary" or not isinstance(data, str):
        raise UpstreamMalformed("ehr-binary")
    return _decoded(data)


def _decoded(data: str) -> bytes:
    try:
        return _bounded(b64decode("".join(data.split()), validate=True))
    except (Base64Error, ValueError) as error:
        raise UpstreamMalformed("ehr-base64") from error


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise UpstreamMalformed("ehr-too-big")
    return body
