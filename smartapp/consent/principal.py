"""An app that asks. Pure."""

from dataclasses import dataclass, field

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.model import Scopes
from smartapp.identity.model import Principal, PrincipalKind


@dataclass(frozen=True, kw_only=True)
class AppPrincipal(Principal):
    """An app that asks under a grant. `kind` is APP, `person_id` the person who granted, `session_id` the grant's id,
    `context_id` the token family's: so audit and disclosures tell apps apart.

    What it may reach is what its token's `scopes`, the newest version of the grant (`terms`) and the policy all allow.
    `alias_key` is set where the grant shows de-identified images: UIDs are then shown as `consent.aliases` maps them.
    ValueError for another kind: an app is never judged as the person who allowed it.
    """

    client_id: str
    grant_id: str
    scopes: Scopes
    terms: Terms = field(repr=False)
    grant_version: int = 0
    """The version of the grant that `terms` are of: another one ends what runs under this one."""
    alias_key: str | None = field(default=None, repr=False)
    token_ref: str = field(default="", repr=False)
    """The keyed hash of its access token, as it is looked up by: the trail keeps a reference of that one."""

    def __post_init__(self) -> None:
        if self.kind is not PrincipalKind.APP:
            raise ValueError("an app is of kind APP")
