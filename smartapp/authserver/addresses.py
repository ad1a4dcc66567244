"""Our own addresses at one hospital (RFC 8414 §2). They come from the configuration, never from the request."""

from smartapp.errors import NotFound
from smartapp.web.parts import parts


def issuer(provider: str) -> str:
    """The authorization server of `provider`. NotFound for an unknown one."""
    settings = parts().settings
    if all(each.id != provider for each in settings.providers):
        raise NotFound
    return f"{settings.server.base_url}/{provider}"


def endpoint(provider: str, name: str) -> str:
    """The address of an OAuth endpoint: `token`, `authorize`, …"""
    return f"{issuer(provider)}/oauth/{name}"


def fhir_base(provider: str) -> str:
    """Where the hospital's FHIR resources are, for apps."""
    return f"{issuer(provider)}/fhir"


def dicomweb_base(provider: str) -> str:
    """Where its images are, for apps."""
    return f"{issuer(provider)}/dicomweb"


def fhir_user(provider: str, reference: str) -> str:
    """The person whom the EHR calls `reference`, at our FHIR base: their last two segments are `Type/id`."""
    return "/".join([fhir_base(provider), *reference.rstrip("/").split("/")[-2:]])
