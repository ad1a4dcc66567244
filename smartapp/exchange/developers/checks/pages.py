"""The pages that an app names: about itself, its policy, its terms, its picture, and where a launch of it begins."""

from dataclasses import dataclass
from typing import Final

from smartapp.exchange.developers import addresses
from smartapp.exchange.developers.checks.rules import Rules
from smartapp.exchange.developers.reading import Document, text
from smartapp.exchange.developers.refusal import RegistrationRefused

_LONGEST: Final = 1000


@dataclass(frozen=True)
class Pages:
    """The addresses, each empty when it was not given."""

    client_uri: str
    policy_uri: str
    tos_uri: str
    logo_uri: str
    launch_uri: str


def read(document: Document, rules: Rules) -> Pages:
    """https, at a public name; in the sandbox also http on this machine."""
    return Pages(**{name: _page(document, name, rules) for name in Pages.__dataclass_fields__})


def _page(document: Document, name: str, rules: Rules) -> str:
    written = text(document, name, longest=_LONGEST)
    if written and not usable(written, rules):
        raise RegistrationRefused(name, "address")
    return written


def usable(written: str, rules: Rules) -> bool:
    """Whether it is an address that anybody can open, over TLS; in the sandbox also one on this machine."""
    address = addresses.read(written)
    if address is None:
        return False
    if rules.sandbox and address.loopback:
        return True
    return address.scheme == "https" and address.public
