"""JSON from the EHR, and safe steps into it: real servers send what validators refuse."""

import json
from collections.abc import Iterator
from typing import Any

from smartapp.errors import UpstreamMalformed
from smartapp.outbound.service import Answer
from smartapp.outbound.strict_json import read_json

Json = dict[str, Any]
_DEEPEST = 20
_MOST_CODES = 100
_MEDIA = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})


def is_fhir_json(answer: Answer) -> bool:
    """Whether the answer says that it is FHIR JSON, in UTF-8 (FHIR R4, http.html#mime-type)."""
    media, _, parameters = answer.headers.get("content-type", "").partition(";")
    charset = parameters.lower().partition("charset=")[2].strip(' "').partition(";")[0].strip(' "')
    return media.strip().lower() in _MEDIA and charset in {"", "utf-8"}


def resource_in(answer: Answer) -> Json:
    """The resource that the EHR answered with. Raises UpstreamMalformed for HTML, a byte order mark, another charset,
    cut or ambiguous JSON (RFC 8259 §4, §8.1), or an object that is no resource.

    Half of a surrogate pair (RFC 8259 §8.2), which could not be written out again, becomes a question mark.
    """
    if not is_fhir_json(answer):
        raise UpstreamMalformed("ehr-malformed")
    try:
        written = answer.body.decode("utf-8")
        found = read_json(written)
        if "\\ud" in written.lower():
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise UpstreamMalformed("ehr-malformed") from error
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise UpstreamMalformed("ehr-malformed")
    return found


def text(value: object, limit: int = 4096) -> str:
    """`value` if it is text, without white space around it, cut at `limit` characters; else nothing."""
    return value.strip()[:limit] if isinstance(value, str) else ""


def part(value: object, name: str) -> Json:
    """The object called `name` in `value`, or an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def parts(value: object, name: str) -> Iterator[Json]:
    """The objects in the list called `name`; a lone object counts as a list of one, as some servers send it."""
    found = value.get(name) if isinstance(value, dict) else None
    for entry in found if isinstance(found, list) else [found]:
        if isinstance(entry, dict):
            yield entry


def labels(resource: Json) -> frozenset[str]:
    """The security labels of a resource (FHIR R4 security-labels.html) as `system|code`.

    Either half may be empty, and none is left out: a label that we cannot read is a label all the same.
    """
    security = parts(part(resource, "meta"), "security")
    return frozenset(f"{text(coding.get('system'), 300)}|{text(coding.get('code'), 64)}" for coding in security)


def coded(resource: Json) -> frozenset[str] | None:
    """Every code in a resource, what is said of it in `meta` aside, as `system|code`; None where there are too many, or
    it is too deep to be read.
    """
    found: set[str] = set()
    left = [(value, _DEEPEST) for name, value in resource.items() if name != "meta"]
    while left:
        value, depth = left.pop()
        if not depth or len(found) > _MOST_CODES:
            return None
        if isinstance(value, dict):
            system, code = text(value.get("system"), 300), text(value.get("code"), 200)
            found |= {f"{system}|{code}"} if system and code else set()
        if isinstance(value, dict | list):
            left += [(each, depth - 1) for each in (value.values() if isinstance(value, dict) else value)]
    return frozenset(found)


def marks(resource: Json) -> frozenset[str]:
    """The security labels and the tags of a resource: where a hospital may note that it is to be held back."""
    tags = parts(part(resource, "meta"), "tag")
    return labels(resource) | {f"{text(coding.get('system'), 300)}|{text(coding.get('code'), 64)}" for coding in tags}


def count(value: object) -> int:
    """A count that makes sense, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**7 else 0


def words(concept: object) -> str:
    """What a CodeableConcept or Coding says to a person: its text, else a display, else a code."""
    if not isinstance(concept, dict):
        return ""
    codings = [concept, *parts(concept, "coding")]
    said = [text(concept.get("text"), 300), *(text(coding.get("display"), 300) for coding in codings)]
    return next((found for found in said if found), next(filter(None, (text(c.get("code"), 300) for c in codings)), ""))
