"""The operations that programs may call: FHIR, DICOMweb, OAuth. A test holds the list against the routes. Pure."""

from dataclasses import dataclass
from typing import Final

_TOKEN: Final = (401, 403, 429)
_UPSTREAM: Final = (502, 503)


@dataclass(frozen=True)
class Operation:
    """One method of one address. `statuses` are all that it answers with; `form` its fields, where it takes one."""

    method: str
    path: str
    summary: str
    statuses: tuple[int, ...]
    produces: str
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
_DICOM_JSON: Final = "application/dicom+json"
_MULTIPART: Final = "multipart/related"
_JSON: Final = "application/json"
_READ: Final = (200, 304, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_SEARCH: Final = (200, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_ROWS: Final = (200, 204, 400, *_TOKEN, 404, 406, *_UPSTREAM)
_BYTES: Final = (200, 400, *_TOKEN, 404, 406, 422, *_UPSTREAM)
_DISCOVERY: Final = (200, 400, 404, 503)


def _fhir(method: str, path: str, summary: str, statuses: tuple[int, ...], **more: bool) -> Operation:
    return Operation(method, FHIR + path, summary, statuses, _FHIR_JSON, bearer=more.get("bearer", True))


def _wado(path: str, summary: str, produces: str, statuses: tuple[int, ...] = _BYTES) -> Operation:
    return Operation("get", path, summary, statuses, produces, bearer=True)


def _oauth(
    method: str,
    path: str,
    summary: str,
    statuses: tuple[int, ...],
    *form: str,
    bearer: bool = False,
    json: bool = False,
) -> Operation:
    return Operation(method, OAUTH + path, summary, statuses, _JSON, bearer=bearer, form=form, json=json)


_CLIENT: Final = ("client_id", "client_assertion_type", "client_assertion")
_NO_CHANGE: Final = (400, 401, 403, 404, 405, 413, 429, 503)

OPERATIONS: Final = (
    _fhir("get", "/metadata", "What this server does (CapabilityStatement)", (200, 400, 404, 406), bearer=False),
    _fhir("get", "/{type}", "Search a type", _SEARCH),
    _fhir("post", "/{type}/_search", "Search a type, by a form", (*_SEARCH, 413, 415)),
    _fhir("get", "/{type}/{id}", "Read a resource", _READ),
    Operation("get", f"{FHIR}/Binary/{{id}}", "Read a file of a report", _READ, "*/*", bearer=True),
    *(_fhir(method, "/{type}", "Not offered: 405", _NO_CHANGE) for method in ("post", "put", "patch", "delete")),
    *(_fhir(method, "/{type}/{id}", "Not offered: 405", _NO_CHANGE) for method in ("post", "put", "patch", "delete")),
    _fhir("post", "", "Batches and transactions are not offered: 400", (400, 401, 403, 413, 429, 503)),
    _wado(f"{DICOMWEB}/studies", "Search for studies", _DICOM_JSON, _ROWS),
    _wado(f"{_STUDY}/series", "Search for series", _DICOM_JSON, _ROWS),
    _wado(f"{_STUDY}/instances", "Search for instances of a study", _DICOM_JSON, _ROWS),
    _wado(f"{_SERIES}/instances", "Search for instances of a series", _DICOM_JSON, _ROWS),
    _wado(_STUDY, "Retrieve a study", _MULTIPART),
    _wado(_SERIES, "Retrieve a series", _MULTIPART),
    _wado(_INSTANCE, "Retrieve an instance", _MULTIPART),
    _wado(f"{_STUDY}/metadata", "Metadata of a study", _DICOM_JSON),
    _wado(f"{_SERIES}/metadata", "Metadata of a series", _DICOM_JSON),
    _wado(f"{_INSTANCE}/metadata", "Metadata of an instance", _DICOM_JSON),
    _wado(f"{_INSTANCE}/frames/{{numbers}}", "Frames", _MULTIPART),
    _wado(f"{_INSTANCE}/bulkdata/{{tag}}", "A large value", _MULTIPART),
    _wado(f"{_INSTANCE}/rendered", "A picture of an instance", "image/jpeg"),
    _wado(f"{_INSTANCE}/frames/{{numbers}}/rendered", "A picture of a frame", "image/jpeg"),
    _wado(f"{_SERIES}/thumbnail", "A small picture of a series", "image/jpeg"),
    _wado(f"{_INSTANCE}/thumbnail", "A small picture of an instance", "image/jpeg"),
    Operation("get", f"{OAUTH}/authorize", "Ask the patient", (302, 303, 400, 404, 429, 503), "text/html"),
    Operation(
        "post", f"{OAUTH}/authorize", "Ask the patient, by a form", (302, 303, 400, 404, 413, 415, 429, 503),
        "text/html", form=("response_type", "client_id", "redirect_uri", "scope", "state", "aud", "code_challenge",
                           "code_challenge_method", "launch", "nonce", "prompt"),
    ),
    _oauth("post", "/token", "Redeem a code, refresh, or backend services", (200, 400, 401, 404, 413, 415, 429, 503),
           "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", *_CLIENT),
    _oauth("post", "/introspect", "What a token is (RFC 7662)", (200, 400, 401, 404, 413, 415, 429, 503),
           "token", "token_type_hint", *_CLIENT),
    _oauth("post", "/revoke", "End a token (RFC 7009)", (200, 400, 401, 404, 413, 415, 429, 503),
           "token", "token_type_hint", *_CLIENT),
    _oauth("get", "/userinfo", "Who granted", (200, 400, 401, 403, 404, 429, 503), bearer=True),
    _oauth("post", "/userinfo", "Who granted", (200, 400, 401, 403, 404, 413, 429, 503), bearer=True),
    _oauth("get", "/jwks", "The keys of id_tokens", (200, 400, 404, 503)),
    _oauth("post", "/register", "Register an app (RFC 7591)", (201, 400, 401, 404, 413, 415, 429, 503), json=True),
    _oauth("get", "/register/{client_id}", "An app's registration (RFC 7592)", (200, 400, 401, 403, 404, 429, 503),
           bearer=True),
    _oauth("put", "/register/{client_id}", "Change it", (200, 400, 401, 403, 404, 413, 415, 429, 503), bearer=True,
           json=True),
    _oauth("delete", "/register/{client_id}", "Delete it", (204, 400, 401, 403, 404, 429, 503), bearer=True),
    Operation("get", f"{FHIR}/.well-known/smart-configuration", "SMART configuration", _DISCOVERY, _JSON),
    Operation("get", "/{provider}/.well-known/openid-configuration", "OpenID configuration", _DISCOVERY, _JSON),
    Operation("get", "/{provider}/.well-known/oauth-authorization-server", "RFC 8414", _DISCOVERY, _JSON),
    Operation("get", "/.well-known/oauth-authorization-server/{provider}", "RFC 8414", _DISCOVERY, _JSON),
)  # fmt: skip
