"""The OpenAPI 3.1 document, made of the list of operations and of FHIR's table of parameters. Pure."""

import re
from typing import Any

from smartapp.portal.openapi.operations import BARE, FHIR, HTML, OPERATIONS, UNREAD, Operation
from smartapp.portal.openapi.schemas import SCHEMAS, ref
from smartapp.records.resources.kinds import SERVED
from smartapp.records.resources.parameters import PARAMETERS

Json = dict[str, Any]
_CONTROLS = ("_count", "_sort", "_include", "_summary", "_elements", "_total", "_format", "_page")


def document(base_url: str, providers: tuple[str, ...]) -> Json:
    """The document for the installation at `base_url` with these providers."""
    paths: dict[str, Json] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each, providers)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Imaging for apps",
            "version": "1",
            "description": "FHIR R4, DICOMweb and SMART App Launch 2.2, for apps that a patient allowed.",
        },
        "servers": [{"url": base_url.rstrip("/")}],
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}, "schemas": SCHEMAS},
    }


def _operation(each: Operation, providers: tuple[str, ...]) -> Json:
    named = re.findall(r"{(\w+)}", each.path)
    operation: Json = {
        "summary": each.summary,
        "parameters": [*(_in_path(name, providers) for name in named), *_in_query(each)],
        "responses": {str(status): _response(status, each) for status in sorted({*each.statuses, *UNREAD, *BARE})},
        "security": [{"bearer": []}] if each.bearer else [],
    }
    if each.form:
        fields = {name: {"type": "string"} for name in each.form}
        operation["requestBody"] = _body("application/x-www-form-urlencoded", {"properties": fields})
    if each.json:
        operation["requestBody"] = _body("application/json", {})
    return operation


def _body(media: str, more: Json) -> Json:
    return {"required": True, "content": {media: {"schema": {"type": "object", **more}}}}


def _in_path(name: str, providers: tuple[str, ...]) -> Json:
    chosen = {"provider": list(providers), "type": list(SERVED)}.get(name)
    schema: Json = {"type": "string", **({"enum": chosen} if chosen else {"maxLength": 512})}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(each: Operation) -> list[Json]:
    if each.path != f"{FHIR}/{{type}}" or each.method != "get":
        return []
    names = sorted({name for table in PARAMETERS.values() for name in table})
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in (*names, *_CONTROLS)]


def _response(status: int, each: Operation) -> Json:
    """What comes with a status. Answers without a body, and redirects, name no content."""
    words = "It is so." if status < 300 else "Elsewhere." if status < 400 else "It is refused, with a reason."
    if status in {204, 304, *BARE}:
        return {"description": words}
    if status in {302, 303}:
        return {"description": words, "content": {HTML: {}}}
    content = dict.fromkeys(each.produces, each.schema) if status < 400 else _refused(status, each)
    return {
        "description": words,
        "content": {media: {"schema": found} if found else {} for media, found in content.items()},
    }


def _refused(status: int, each: Operation) -> dict[str, Json]:
    """Each surface has its own words. What is hardly HTTP is answered before any of them sees it, by a page."""
    said = {media: ref(name) if name else {} for media, name in each.refusal}
    return {**said, HTML: {}} if status in UNREAD else said
