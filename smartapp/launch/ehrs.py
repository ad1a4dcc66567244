"""The EHRs that we are a client of: each with its door, its trusted origins and our identity there."""

from dataclasses import dataclass

from smartapp.clock import Clock
from smartapp.launch.client_auth import ClientIdentity, KeyIdentity, system_identity
from smartapp.launch.discovery import Discovery
from smartapp.launch.jwks import public_jwks
from smartapp.launch.model import Metadata
from smartapp.launch.urls import Trust
from smartapp.outbound.service import Door, Outbound
from smartapp.settings import Provider, Settings


@dataclass(frozen=True)
class Ehr:
    """One EHR as we reach it. The door opens to the provider's trusted origins only."""

    provider: Provider
    door: Door
    trust: Trust
    identity: ClientIdentity
    system: KeyIdentity | None = None
    """Us as a backend service there, where we are one."""


class Ehrs:
    """Every configured EHR, made at the start.

    Raises ConfigurationError when a secret or key of ours is missing, or two of our keys have one name.
    """

    def __init__(self, settings: Settings, outbound: Outbound, clock: Clock) -> None:
        public_jwks(settings)  # raises where two keys could not be told apart
        sandbox = settings.environment == "sandbox"
        self._discovery = Discovery(clock)
        self._ehrs = {
            provider.id: Ehr(
                provider=provider,
                door=outbound.for_origins(f"launch:{provider.id}", provider.trusted_origins, ca_file=provider.ca_file),
                trust=Trust(provider.trusted_origins, sandbox=sandbox),
                identity=ClientIdentity(provider, clock),
                system=system_identity(provider, clock),
            )
            for provider in settings.providers
        }

    def of(self, provider_id: str) -> Ehr:
        """The EHR of this provider; KeyError if there is none."""
        return self._ehrs[provider_id]

    def metadata(self, ehr: Ehr, iss: str) -> Metadata:
        """Discovery of the EHR under the FHIR base `iss`. Raises Refusal and Upstream errors as Discovery does."""
        return self._discovery.of(iss, ehr.door, ehr.trust)
