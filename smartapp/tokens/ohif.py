"""How OHIF, at its own origin, comes by a token: a code that counts once, then tokens that follow one another.

No cookie of ours reaches that origin, and no token stands in an address. The code does, for a moment and behind the #,
which browsers send to nobody.
"""

import json
from dataclasses import dataclass, field
from typing import Final

from smartapp.db.unit import Database
from smartapp.errors import NotSignedIn, PermitEnded
from smartapp.identity.model import Principal
from smartapp.identity.service import Identity
from smartapp.ids import new_secret
from smartapp.tokens.single_use import SingleUse
from smartapp.tokens.viewer import ViewerTokens

CODE_SECONDS: Final = 30.0
_KIND: Final = "ohif"


@dataclass(frozen=True)
class OhifPass:
    """What OHIF's page is given: a token for the whole record, its life in seconds, whose it is."""

    principal: Principal
    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True)
class Opened:
    """A code that was redeemed: the pass, and the study that was to be opened."""

    given: OhifPass
    study_uid: str


class OhifDoor:
    """Makes codes, takes each once, and renews tokens while the session lives. One per process; safe in threads."""

    def __init__(self, database: Database, identity: Identity, single_use: SingleUse, tokens: ViewerTokens) -> None:
        self._database = database
        self._identity = identity
        self._single_use = single_use
        self._tokens = tokens

    def make_code(self, principal: Principal, study_uid: str) -> str:
        """A code for this session, context and study; it counts once, within 30 seconds. PermitEnded after its end."""
        self._identity.require_live(principal.session_id)
        code = new_secret("soc")
        bound = json.dumps([principal.session_id, principal.context_id, study_uid])
        self._single_use.put(_KIND, code, CODE_SECONDS, bound.encode())
        return code

    def redeem(self, code: str) -> Opened:
        """What the code stands for, to exactly one caller. NotSignedIn for a used, old or unknown one, or after the
        session's end.
        """
        bound = self._single_use.take(_KIND, code)
        if bound is None:
            raise NotSignedIn("ohif.code")
        session_id, context_id, study_uid = json.loads(bound)
        try:
            principal = self._identity.revive(self._database, session_id, context_id)
            return Opened(self._issue(principal), study_uid)
        except PermitEnded as error:
            raise NotSignedIn("ohif.code") from error

    def renew(self, token: str) -> OhifPass:
        """The next token for one that still counts. NotSignedIn for any other: a study's own token gets no wider."""
        grant = self._tokens.lookup(token)
        if grant.study_uid is not None:
            raise NotSignedIn("token")
        try:
            return self._issue(grant.principal)
        except PermitEnded as error:
            raise NotSignedIn("token") from error

    def _issue(self, principal: Principal) -> OhifPass:
        token, seconds = self._tokens.issue(principal, None)
        return OhifPass(principal, token, seconds)
