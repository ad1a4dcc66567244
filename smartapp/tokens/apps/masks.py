"""How a grant shows UIDs: as they are, or by the aliases that hide them (`consent.aliases`)."""

from collections.abc import Callable

from smartapp.consent.aliases import alias
from smartapp.consent.grants.model import Grant
from smartapp.security.keyring import Keyring


class Masks:
    """Makes the keys of aliases: one per grant, so that two apps cannot lay their studies side by side."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def key(self, grant: Grant) -> str | None:
        """The key of a grant's aliases; None where UIDs are shown as they are."""
        return self._keyring.mac("grant.alias", grant.id) if grant.terms.hides_identity else None

    def shown(self, grant: Grant) -> Callable[[str], str]:
        """How UIDs are shown under this grant."""
        key = self.key(grant)
        return (lambda uid: alias(key, uid)) if key else (lambda uid: uid)
