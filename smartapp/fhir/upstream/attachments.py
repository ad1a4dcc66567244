"""The files of a report (`presentedForm`; FHIR R4 datatypes.html#attachment, binary.html)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error

from smartapp.consent.model import Permit
from smartapp.errors import NotFound, UpstreamMalformed
from smartapp.fhir.upstream.documents import Json, is_fhir_json, parts, resource_in, text
from smartapp.fhir.upstream.fetch import ACCEPT, FhirServer, check_status
from smartapp.fhir.upstream.model import ReportAttachment
from smartapp.fhir.upstream.references import read_reference

MAX_BYTES = 20 * 2**20
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
    return isinstance(form.get("data"), str) or read_reference(text(form.get("url"), 2048), base) is not None


def listed(resource: Json) -> tuple[ReportAttachment, ...]:
    """Every form as something to download."""
    return tuple(
        ReportAttachment(index, media_type(form), text(form.get("title"), 200))
        for index, form in enumerate(forms(resource))
    )


def body_of(server: FhirServer, permit: Permit, form: Json) -> bytes:
    """The bytes of a form: inline, or a Binary of this EHR. At most 20 MiB.

    Raises NotFound when there are none, or they lie on another server: our token does not go there. Raises
    UpstreamMalformed for what cannot be decoded.
    """
    if isinstance(data := form.get("data"), str):
        return _decoded(data)
    reference = read_reference(text(form.get("url"), 2048), server.base)
    if reference is None:
        raise NotFound("report-attachment")
    accept = media_type(form)
    answer = server.get(
        permit, f"{server.base}/{reference}", accept=f"{accept}, {ACCEPT};q=0.5", max_bytes=4 * MAX_BYTES // 3 + 4096
    )
    check_status(answer)
    if is_fhir_json(answer) and accept not in {"application/json", ACCEPT}:
        return _in_binary(resource_in(answer))
    return _bounded(answer.body)


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
