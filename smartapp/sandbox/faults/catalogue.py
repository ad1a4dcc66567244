"""Every fault that can be set, with a sentence each. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

Part = Literal["ehr", "pacs"]

HEADER: Final = "X-Sandbox-Fault"
"""By this header a relay tells the EHR behind it to misbehave where only the EHR can: it holds the signing key."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `at` is where it can happen, besides what a setting matches; `inside`: the EHR does it itself.

    `seconds` is the default of that parameter, None for kinds that have none.
    """

    name: str
    sentence: str
    at: str = ""
    seconds: float | None = None
    inside: bool = False


_COMMON: Final = (
    Kind("slow", "The answer begins after so many seconds.", seconds=3),
    Kind("429", "Too many requests: come back after so many seconds (Retry-After as a number).", seconds=120),
    Kind("429-date", "Too many requests: come back at a moment (Retry-After as a date).", seconds=120),
    Kind("500", "The server broke."),
    Kind("503", "Not available, for nobody knows how long."),
    Kind("html", "A web page with status 200: a proxy's sign-in page, for example."),
    Kind("short", "Half of the body comes, then the connection is closed: less than Content-Length announced."),
    Kind("reset", "Half of the body comes, then the connection is reset."),
    Kind("stall", "Half of the body comes, then nothing for so many seconds.", seconds=60),
)
_TOKEN: Final = "*/oauth/token"
_EHR: Final = (
    Kind("malformed-json", "JSON that breaks off in its middle, with a Content-Length that fits."),
    Kind("bom", "A byte order mark before the JSON."),
    Kind("paging-loop", "Every page of a search names itself as the next one.", "*/fhir/"),
    Kind("foreign-next", "A search's next page lies on another server, which counts who comes.", "*/fhir/"),
    Kind("wrong-nonce", "The id_token carries another sign-in's nonce.", _TOKEN, inside=True),
    Kind("wrong-aud", "The id_token is for another client.", _TOKEN, inside=True),
    Kind("wrong-iss", "The id_token is of another issuer.", _TOKEN, inside=True),
    Kind("bad-signature", "The id_token's signature is not over its claims.", _TOKEN, inside=True),
    Kind("alg-none", "The id_token is not signed: alg none.", _TOKEN, inside=True),
    Kind("key-rotation", "The id_token is signed by a new key; the JWKS has no other.", _TOKEN, inside=True),
    Kind("refresh-refused", "Refresh tokens are no longer taken: invalid_grant.", _TOKEN),
    Kind("refresh-other-patient", "A refresh answers with another patient in context.", _TOKEN, inside=True),
    Kind("token-revoked", "The access token is no longer taken: 401 invalid_token.", "*/fhir/"),
)
_PACS: Final = (
    Kind("wrong-study", "The last instance of an answer is another patient's.", "*/studies/"),
    Kind("no-closing-boundary", "A multipart body ends without its closing boundary.", "*/studies/"),
    Kind("offline", "Images are fetched from an offline store: 503, come back after so many seconds.", "*/studies/", 5),
)

KINDS: Final[dict[Part, dict[str, Kind]]] = {
    "ehr": {kind.name: kind for kind in (*_COMMON, *_EHR)},
    "pacs": {kind.name: kind for kind in (*_COMMON, *_PACS)},
}
"""The kinds of each part, by name."""
