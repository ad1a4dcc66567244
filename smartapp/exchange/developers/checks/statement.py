"""A software statement is somebody's word for an app (RFC 7591 §2.3). We know nobody whose word we could verify."""

from smartapp.exchange.developers.reading import Document
from smartapp.exchange.developers.refusal import RegistrationRefused


def refuse(document: Document) -> None:
    """Raises RegistrationRefused (`invalid_software_statement`): an unverified claim must not look verified."""
    if document.get("software_statement") is not None:
        raise RegistrationRefused("software_statement", "unverified", "invalid_software_statement")
