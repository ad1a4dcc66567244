"""What developers read of refusals: why a registration was not taken, and why a request was answered with an error."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

_PROBLEMS: Final = {
    "missing": _l("This is needed."),
    "unused": _l("A service has no redirect addresses."),
    "text": _l("This is too long, or holds signs that cannot be shown."),
    "many": _l("These are too many."),
    "offered": _l("Choose one of these."),
    "address": _l("This must be a plain https address: no user name, no #, no capital letters in the host."),
    "query": _l("The address holds a parameter that our answers use: code, state, iss or error."),
    "port": _l("Use port 443, or one from 1024 up."),
    "one": _l("Give either the address of your keys or the keys themselves, and only with a key."),
    "set": _l("This must be a JWK Set (an object with “keys”) of public keys."),
    "kid": _l("Each key needs a kid of its own."),
    "private": _l("This holds a private key. Make a new one: this one has been sent."),
    "use": _l("These keys are not for signatures."),
    "weak": _l("Keys must be RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519."),
    "taken": _l("This is a hospital's name."),
    "system": _l("Scopes that begin with system/ are for services."),
    "empty": _l("Nothing of this scope is offered."),
    "mail": _l("Write mail addresses, one on each line."),
    "too-many": _l("Too many apps were registered from your network. Try again in an hour."),
}

_WHY: Final = {
    "redirect-missing": _l("redirect_uri was not sent. It is always needed."),
    "redirect-mismatch": _l("redirect_uri is none of the registered ones. It is compared letter by letter."),
    "state": _l("state is longer than 2048 characters, or not printable ASCII."),
    "app-pending": _l("The app is not admitted yet: the operator looks at identity and security first."),
    "app-refused": _l("The app was not admitted. Its page names the ground."),
    "app-suspended": _l("The app is suspended. Its page names the ground."),
    "grant-type": _l("The app is registered as a service: it cannot ask people."),
    "request-uri": _l("request_uri is not supported: send the parameters themselves."),
    "request-object": _l("request is not supported: send the parameters themselves."),
    "response-type": _l("response_type must be code."),
    "response-mode": _l("response_mode must be query, or absent."),
    "pkce-missing": _l("code_challenge was not sent. PKCE is needed of every app (RFC 7636)."),
    "pkce-method": _l("code_challenge_method must be S256."),
    "pkce-form": _l("code_challenge must be the SHA-256 of the verifier, as 43 characters of base64url."),
    "audience": _l("aud must be the FHIR base address of this server."),
    "nonce": _l("nonce is longer than 512 characters, or not printable."),
    "prompt": _l("prompt=none cannot work here: the patient is always asked."),
    "max-age": _l("max_age is not a number of seconds."),
    "scope-missing": _l("scope was not sent."),
    "scope-long": _l("scope is too long."),
    "scope-empty": _l("None of the scopes is registered for this app and offered here."),
    "launch-scope": _l("launch was sent without the scope launch."),
    "launch-missing": _l("The scope launch was asked without a launch value."),
    "launch-unknown": _l("The launch value is unknown, used, or older than five minutes."),
}
"""By the words of the checks at the authorization endpoint."""

_ERRORS: Final = {
    "invalid_request": _l("A parameter is missing, comes twice, or is malformed."),
    "invalid_client": _l("The app did not show that it is itself: see its method, secret or key, and the clock."),
    "invalid_grant": _l(
        "The code or refresh token is unknown, used, expired or revoked, or came with another redirect_uri, verifier "
        "or app."
    ),
    "invalid_scope": _l("The scope is unknown, or more than was granted."),
    "unauthorized_client": _l("The app is not admitted, or is not registered for this grant type."),
    "unsupported_grant_type": _l("grant_type must be authorization_code, refresh_token or client_credentials."),
    "invalid_client_metadata": _l("A change of the registration was not taken."),
    "invalid_redirect_uri": _l("A change of the redirect addresses was not taken."),
}
"""By the error that the app was answered."""


def problem(word: str) -> str:
    """Why a field's value was not taken."""
    return str(_PROBLEMS.get(word) or _("This cannot be used."))


def reason(error: str, why: str) -> str:
    """Why a request was answered with `error`; empty when it worked."""
    if not error:
        return ""
    return str(_WHY.get(why) or _ERRORS.get(error) or _("The request was refused."))
