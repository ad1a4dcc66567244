"""A registration, read and checked: the list of checks is the policy. Programs and our pages go the same way."""

from typing import Final

from smartapp.exchange.developers.checks import (
    authentication,
    contacts,
    grant_types,
    id_token,
    keys,
    name,
    pages,
    redirects,
    scope,
    statement,
)
from smartapp.exchange.developers.checks.rules import Rules
from smartapp.exchange.developers.reading import Document, text
from smartapp.identity.apps.model import AppMetadata

_SOFTWARE: Final = 128


def read_metadata(document: Document, rules: Rules) -> AppMetadata:
    """What `document` (RFC 7591 §2) says of an app, as it will be registered. Raises RegistrationRefused.

    Names that we do not know are ignored; values that we do not offer are refused; a scope is cut to the offer.
    """
    statement.refuse(document)
    grants = grant_types.read(document)
    method = authentication.read(document, grants)
    jwks_uri, jwks = keys.read(document, method, rules)
    named = pages.read(document, rules)
    return AppMetadata(
        client_name=name.read(document, rules),
        redirect_uris=redirects.read(document, grants),
        grant_types=grants,
        token_endpoint_auth_method=method,
        scope=scope.read(document, grants),
        client_uri=named.client_uri,
        policy_uri=named.policy_uri,
        tos_uri=named.tos_uri,
        logo_uri=named.logo_uri,
        launch_uri=named.launch_uri,
        contacts=contacts.read(document),
        jwks_uri=jwks_uri,
        jwks=jwks,
        software_id=text(document, "software_id", longest=_SOFTWARE),
        software_version=text(document, "software_version", longest=_SOFTWARE),
        post_logout_redirect_uris=redirects.read_after_sign_out(document),
        id_token_signed_response_alg=id_token.read(document),
    )
