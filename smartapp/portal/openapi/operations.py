"""The operations that programs may call: FHIR, DICOMweb, OAuth. A test holds the list against the routes. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from smartapp.portal.openapi.schemas import ref

Json = dict[str, Any]
HTML: Final = "text/html"
UNREAD: Final = (400, 414, 431)
"""What the server in front answers to what it does not read as HTTP, or takes for too long: with a page of its own."""

_TOKEN: Final = (401, 403, 429)
_UPSTREAM: Final = (502, 503)


BARE: Final = (408, 411, 413)
"""What is answered, without a word, to a body that does not come, is of unknown length or too long (`web.patience`)."""


@dataclass(frozen=True)
class Operation:
    """One method of one address. `statuses` are all that it answers with, beside those of `UNREAD` and `BARE`.

    `produces` are the media types of what is given, and `schema` is what their JSON is; `refusal` are media types and
    schemas of what is not given. `form` are its fields, where it takes one.
    """

    method: str
    path: str
    summary: str
    statuses: tuple[int, ...]
    produces: tuple[str, ...]
    schema: Json = field(default_factory=dict)
    refusal: tuple[tuple[str, str], ...] = ((HTML, ""),)
    bearer: bool = False
    form: tuple[str, ...] = ()
    json: bool = False


FHIR: Final = "/{provider}/fhir"
DICOMWEB: Final = "/{provider}/dicomweb"
OAUTH: Final = "/{provider}/oauth"
_STUDY: Final = f"{DICOMWEB}/studies/{{study}}"
_SERIES: Final = f"{_STUDY}/series/{{series}}"
_INSTANCE: Final = f"{_SERIES}/instances/{{sop}}"
_FHIR_JSON: Final = "application/fhir+json"
_DICOM_JSON: Final = ("application/dicom+json", "application/json")
_MULTIPART: Final = ("multipart/related",)
_INSTANCE_TYPES: Final = ("multipart/related", "application/dicom")
_OCTETS: Final = ("multipart/related", "application/octet-stream")
_PICTURES: Final = ("image/jpeg", "image/png")
_SMALL: Final = ("image/jpeg",)
_JSON: Final = "application/json"
_OUTCOME: Final = ((_FHIR_JSON, "OperationOutcome"),)
_WORDS: Final = (("text/plain", ""),)
_FAULT: Final = ((_JSON, "OAuthError"),)
_READ: Final = (200, 304, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_SEARCH: Final = (200, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_ROWS: Final = (200, 204, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_BYTES: Final = (200, 400, *_TOKEN, 404, 406, 422, *_UPSTREAM)
_DISCOVERY: Final = (200, 400, 404, 503)
_BRANDS: Final = (200, 304, 400, 404, 503)


def _fhir(
    method: str, path: str, summary: str, statuses: tuple[int, ...], schema: str = "Resource", *, bearer: bool = True
) -> Operation:
    return Operation(method, FHIR + path, summary, statuses, (_FHIR_JSON,), ref(schema), _OUTCOME, bearer=bearer)


def _wado(path: str, summary: str, produces: tuple[str, ...], statuses: tuple[int, ...] = _BYTES) -> Operation:
    schema = ref("Rows") if produces is _DICOM_JSON else {}
    return Operation("get", path, summary, statuses, produces, schema, _WORDS, bearer=True)


def _oauth(
    method: str,
    path: str,
    summary: str,
    statuses: tuple[int, ...],
    schema: str,
    *form: str,
    bearer: bool = False,
    json: bool = False,
) -> Operation:
    return Operation(
        method, OAUTH + path, summary, statuses, (_JSON,), ref(schema), _FAULT, bearer=bearer, form=form, json=json
    )


def _discovery(path: str, summary: str, refusal: tuple[tuple[str, str], ...] = _FAULT) -> Operation:
    return Operation("get", path, summary, _DISCOVERY, (_JSON,), ref("Discovery"), refusal)


def _brands(path: str, summary: str, schema: str) -> Operation:
    return Operation("get", f"/{{provider}}/brands{path}", summary, _BRANDS, (_FHIR_JSON,), ref(schema), _OUTCOME)


_CLIENT: Final = ("client_id", "client_assertion_type", "client_assertion")
_NO_CHANGE: Final = (400, 401, 403, 404, 405, 429, 503)

OPERATIONS: Final = (
    _fhir("get", "/metadata", "What this server does (CapabilityStatement)", (200, 400, 404, 406),
          "CapabilityStatement", bearer=False),
    _fhir("get", "/{type}", "Search a type", _SEARCH, "Bundle"),
    _fhir("post", "/{type}/_search", "Search a type, by a form", (*_SEARCH, 415), "Bundle"),
    _fhir("get", "/{type}/{id}", "Read a resource", _READ),
    Operation("get", f"{FHIR}/Binary/{{id}}", "Read a file of a report", _READ, ("*/*",), {}, _OUTCOME, bearer=True),
    *(_fhir(method, "/{type}", "Not offered: 405", _NO_CHANGE) for method in ("post", "put", "patch", "delete")),
    *(_fhir(method, "/{type}/{id}", "Not offered: 405", _NO_CHANGE) for method in ("post", "put", "patch", "delete")),
    _fhir("post", "", "Batches and transactions are not offered: 400", (400, 401, 403, 429, 503)),
    _wado(f"{DICOMWEB}/studies", "Search for studies", _DICOM_JSON, _ROWS),
    _wado(f"{_STUDY}/series", "Search for series", _DICOM_JSON, _ROWS),
    _wado(f"{_STUDY}/instances", "Search for instances of a study", _DICOM_JSON, _ROWS),
    _wado(f"{_SERIES}/instances", "Search for instances of a series", _DICOM_JSON, _ROWS),
    _wado(_STUDY, "Retrieve a study", _MULTIPART),
    _wado(_SERIES, "Retrieve a series", _MULTIPART),
    _wado(_INSTANCE, "Retrieve an instance", _INSTANCE_TYPES),
    _wado(f"{_STUDY}/metadata", "Metadata of a study", _DICOM_JSON),
    _wado(f"{_SERIES}/metadata", "Metadata of a series", _DICOM_JSON),
    _wado(f"{_INSTANCE}/metadata", "Metadata of an instance", _DICOM_JSON),
    _wado(f"{_INSTANCE}/frames/{{numbers}}", "Frames", _OCTETS),
    _wado(f"{_INSTANCE}/bulkdata/{{tag}}", "A large value", _OCTETS),
    _wado(f"{_INSTANCE}/rendered", "A picture of an instance", _PICTURES),
    _wado(f"{_INSTANCE}/frames/{{numbers}}/rendered", "A picture of a frame", _PICTURES),
    _wado(f"{_SERIES}/thumbnail", "A small picture of a series", _SMALL),
    _wado(f"{_INSTANCE}/thumbnail", "A small picture of an instance", _SMALL),
    Operation("get", f"{OAUTH}/authorize", "Ask the patient", (302, 303, 400, 404, 429, 503), (HTML,)),
    Operation(
        "post", f"{OAUTH}/authorize", "Ask the patient, by a form", (302, 303, 400, 404, 415, 429, 503),
        (HTML,), form=("response_type", "client_id", "redirect_uri", "scope", "state", "aud", "code_challenge",
                           "code_challenge_method", "launch", "nonce", "prompt", "max_age"),
    ),
    _oauth("post", "/token", "Redeem a code, refresh, or backend services", (200, 400, 401, 404, 415, 429, 503),
           "Token", "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", *_CLIENT),
    _oauth("post", "/introspect", "What a token is (RFC 7662)", (200, 400, 401, 404, 415, 429, 503),
           "Introspection", "token", "token_type_hint", *_CLIENT),
    _oauth("post", "/revoke", "End a token (RFC 7009)", (200, 400, 401, 404, 415, 429, 503),
           "Nothing", "token", "token_type_hint", *_CLIENT),
    _oauth("get", "/userinfo", "Who granted", (200, 400, 401, 403, 404, 429, 503), "UserInfo", bearer=True),
    _oauth("post", "/userinfo", "Who granted", (200, 400, 401, 403, 404, 429, 503), "UserInfo", bearer=True),
    _oauth("get", "/jwks", "The keys of id_tokens", (200, 400, 404, 503), "Keys"),
    _oauth("post", "/register", "Register an app (RFC 7591)", (201, 400, 401, 404, 415, 429, 503),
           "Registration", json=True),
    _oauth("get", "/register/{client_id}", "An app's registration (RFC 7592)", (200, 400, 401, 403, 404, 429, 503),
           "Registration", bearer=True),
    _oauth("put", "/register/{client_id}", "Change it", (200, 400, 401, 403, 404, 415, 429, 503),
           "Registration", bearer=True, json=True),
    _oauth("delete", "/register/{client_id}", "Delete it", (204, 400, 401, 403, 404, 429, 503), "Nothing", bearer=True),
    _discovery(f"{FHIR}/.well-known/smart-configuration", "SMART configuration", _OUTCOME),
    _brands("", "The hospital's brands, and its endpoint (User Access Brands Bundle)", "Brands"),
    _brands("/{type}/{id}", "One resource of that Bundle", "Resource"),
    _discovery("/{provider}/.well-known/openid-configuration", "OpenID configuration"),
    _discovery("/{provider}/.well-known/oauth-authorization-server", "RFC 8414"),
    _discovery("/.well-known/oauth-authorization-server/{provider}", "RFC 8414"),
)  # fmt: skip
