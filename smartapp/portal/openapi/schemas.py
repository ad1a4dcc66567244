"""What the bodies of answers are, as JSON Schema: enough to tell one from another, and true of each. Pure."""

from typing import Any, Final

from smartapp.records.resources.kinds import SERVED

Json = dict[str, Any]
_TEXT: Final[Json] = {"type": "string"}
_URL: Final[Json] = {"type": "string", "format": "uri"}


def _object(*required: str, **properties: Any) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _list(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def ref(name: str) -> Json:
    """A schema of `SCHEMAS` by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


_ISSUE: Final = _object(
    "severity", "code", "details", severity={"enum": ["fatal", "error", "warning", "information"]}, code=_TEXT,
    details=_object("coding", "text", coding=_list(_object("system", "code", system=_TEXT, code=_TEXT)), text=_TEXT),
    diagnostics=_TEXT,
)  # fmt: skip
_ENTRY: Final = _object(
    "resource", "search", resource={"type": "object", "required": ["resourceType"]},
    search=_object("mode", mode={"enum": ["match", "include", "outcome"]}),
)  # fmt: skip
_BRAND: Final = _object(
    "fullUrl", "resource", fullUrl=_URL,
    resource=_object("resourceType", "id", resourceType={"enum": ["Organization", "Endpoint"]}, id=_TEXT),
)  # fmt: skip

SCHEMAS: Final[dict[str, Json]] = {
    "OperationOutcome": _object(
        "resourceType", "issue", resourceType={"const": "OperationOutcome"}, issue=_list(_ISSUE, minItems=1)
    ),
    "Resource": _object("resourceType", "id", resourceType={"enum": list(SERVED)}, id=_TEXT),
    "Bundle": _object(
        "resourceType", "type", "link", resourceType={"const": "Bundle"}, type={"const": "searchset"},
        total={"type": "integer", "minimum": 0}, entry=_list(_ENTRY, minItems=1),
        link=_list(_object("relation", "url", relation={"enum": ["self", "next"]}, url=_URL), minItems=1),
    ),
    "Brands": _object(
        "resourceType", "type", "timestamp", "entry", resourceType={"const": "Bundle"}, type={"const": "collection"},
        timestamp=_TEXT, entry=_list(_BRAND, minItems=2),
    ),
    "CapabilityStatement": _object(
        "resourceType", "fhirVersion", "rest", resourceType={"const": "CapabilityStatement"},
        fhirVersion={"const": "4.0.1"}, rest=_list({"type": "object"}, minItems=1),
    ),
    "Rows": _list(
        {
            "type": "object",
            "patternProperties": {"^[0-9A-F]{8}$": _object("vr", vr={"type": "string", "pattern": "^[A-Z]{2}$"})},
            "additionalProperties": False,
        }
    ),
    "OAuthError": _object("error", error=_TEXT, error_description=_TEXT),
    "Token": _object(
        "access_token", "token_type", "expires_in", "scope", access_token=_TEXT, token_type={"const": "Bearer"},
        expires_in={"type": "integer", "minimum": 1, "maximum": 3600}, scope=_TEXT, refresh_token=_TEXT, id_token=_TEXT,
    ),
    "Introspection": _object("active", active={"type": "boolean"}),
    "UserInfo": _object("sub", sub=_TEXT, fhirUser=_URL),
    "Keys": _object("keys", keys=_list(_object("kty", "kid", "use", kty=_TEXT, kid=_TEXT, use={"const": "sig"}))),
    "Registration": _object("client_id", client_id=_TEXT, client_secret=_TEXT, redirect_uris=_list(_URL)),
    "Discovery": _object(
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", issuer=_URL, authorization_endpoint=_URL,
        token_endpoint=_URL, jwks_uri=_URL,
    ),
    "Nothing": {"type": "object", "maxProperties": 0},
}  # fmt: skip
