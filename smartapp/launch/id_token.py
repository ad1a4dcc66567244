"""The id_token: who signed in at the EHR, in the EHR's own words (OpenID Connect Core §3.1.3.7)."""

from joserfc import jws
from joserfc.errors import JoseError

from smartapp.clock import Clock
from smartapp.launch.checks.id_claims import read_id_claims
from smartapp.launch.checks.jws import CODE, read_jws
from smartapp.launch.ehr_keys import EhrKeys
from smartapp.launch.model import IdClaims, PendingFlow
from smartapp.launch.refusals import refuse
from smartapp.outbound.service import Door


class IdTokens:
    """Verifies id_tokens against the keys that discovery led to."""

    def __init__(self, keys: EhrKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def verify(self, token: str, flow: PendingFlow, client_id: str, door: Door) -> IdClaims:
        """The claims of a token that is signed by the EHR, for us, now, in this flow. Raises Refusal otherwise."""
        read = read_jws(token)
        key = self._keys.find(door, flow.metadata.jwks_uri, read.kid, read.alg)
        try:
            jws.deserialize_compact(read.compact, key, algorithms=[read.alg])
        except (JoseError, ValueError):
            refuse(CODE, "signature")
        issuer, now = flow.metadata.issuer, self._clock.now()
        return read_id_claims(read.claims, issuer=issuer, client_id=client_id, nonce=flow.nonce, now=now)
