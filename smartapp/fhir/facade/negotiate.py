"""The form of an answer: FHIR's JSON, and no other (R4 http.html#2.21.0.6)."""

import json
from typing import Any, Final

from flask import Response, request
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType
from werkzeug.http import parse_options_header

FHIR_JSON: Final = "application/fhir+json"
FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = frozenset({FHIR_JSON, "application/json", "application/json+fhir", "text/json"})
_FORMATS: Final = frozenset({"json", *_JSON, "application/fhir json"})
"""With a space where an address left the plus of `_format` unescaped."""
_VERSIONS: Final = frozenset({"", "4.0", "4.0.1"})


def require_json() -> None:
    """NotAcceptable (406) unless the request takes FHIR JSON of R4: `_format` decides, else Accept."""
    wanted = request.values.get("_format")
    if wanted is not None:
        if wanted.partition(";")[0].strip().lower() not in _FORMATS:
            raise NotAcceptable
        return
    if request.accept_mimetypes and not any(_taken(media) for media, quality in request.accept_mimetypes if quality):
        raise NotAcceptable


def takes_resource() -> bool:
    """Whether a Binary is asked for as a resource, and not as the file that it is (R4 binary.html)."""
    wanted = request.args.get("_format")
    if wanted is not None:
        require_json()
        return True
    first = next(iter(request.accept_mimetypes.values()), "*/*")
    return first.partition(";")[0].strip().lower() in _JSON


def require_form() -> None:
    """UnsupportedMediaType (415) unless the body is a form, or there is none."""
    if request.content_length and request.mimetype != FORM:
        raise UnsupportedMediaType


def answer(resource: dict[str, Any], status: int = 200) -> Response:
    """A resource, written once: indented where `_pretty` asks for it."""
    pretty = request.values.get("_pretty") == "true"
    text = json.dumps(resource, ensure_ascii=False, indent=2 if pretty else None)
    return Response(text, status, content_type=FHIR_JSON)


def _taken(media: str) -> bool:
    type_, parameters = parse_options_header(media)
    if parameters.get("fhirversion", parameters.get("fhirVersion", "")) not in _VERSIONS:
        return False
    return type_.lower() in _JSON or type_ in {"*/*", "application/*"}
