"""A consent receipt: what was allowed, to whom, by whom, when and until when. Pure.

Its members follow the Kantara Initiative's Consent Receipt 1.1 where that has a place for what is said; what SMART adds
stands under `grant`. It holds no name of a patient and no study's description.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from smartapp.consent.grants.model import Grant, GrantState
from smartapp.consent.scopes.grammar import text

VERSION: Final = "KI-CR-v1.1.0"


@dataclass(frozen=True)
class Parties:
    """Who is named on a receipt: the hospital that gives the data, and the app that gets it."""

    hospital: str
    jurisdiction: str
    issuer: str
    app: str
    app_uri: str = ""
    policy_uri: str = ""
    contacts: tuple[str, ...] = ()

    @property
    def contact(self) -> str:
        """Where whoever holds a receipt can end what it says: the apps' page beside the hospitals' (`{base}/{id}`)."""
        return f"{self.issuer.rpartition('/')[0]}/my/apps"


def receipt(grant: Grant, state: GrantState, parties: Parties, *, made_at: datetime) -> dict[str, Any]:
    """The receipt, as it is written in JSON. Times are UTC, in seconds since 1970 where Kantara has them so."""
    return {
        "version": VERSION,
        "jurisdiction": parties.jurisdiction,
        "consentTimestamp": int(grant.changed_at.timestamp()),
        "collectionMethod": "approval page",
        "consentReceiptID": f"{grant.id}/{grant.version}",
        "language": "en",
        "piiPrincipalId": grant.fhir_user,
        "piiControllers": [{"piiController": parties.hospital, "contact": parties.contact, "onBehalf": False}],
        "policyUrl": parties.policy_uri,
        "services": [
            {
                "service": parties.app,
                "purposes": [
                    {
                        "purpose": grant.terms.purpose,
                        "consentType": "EXPLICIT",
                        "piiCategory": _categories(grant),
                        "primaryPurpose": True,
                        "termination": _when(grant.expires_at) or "until it is ended",
                        "thirdPartyDisclosure": True,
                        "thirdPartyName": parties.app,
                    }
                ],
            }
        ],
        "sensitive": True,
        "spiCat": ["health"],
        "grant": {
            "id": grant.id,
            "version": grant.version,
            "state": state.value,
            "approved": _when(grant.approved_at),
            "changed": _when(grant.changed_at),
            "expires": _when(grant.expires_at),
            "grantedBy": grant.granted_by.value,
            "client": {
                "id": grant.client_id,
                "name": parties.app,
                "uri": parties.app_uri,
                "contacts": list(parties.contacts),
            },
            "endsWithSession": grant.session_id is not None,
            **_terms(grant),
        },
        "receiptMade": _when(made_at),
    }


def _categories(grant: Grant) -> list[str]:
    terms = grant.terms
    images = {"full": ["images"], "deidentified": ["de-identified images"], "none": []}[terms.images]
    return ["list of imaging studies", *images, *(["reports"] if terms.reports else [])]


def _terms(grant: Grant) -> Mapping[str, Any]:
    terms = grant.terms
    return {
        "scope": text(terms.scopes),
        "studies": "all" if terms.chosen is None else sorted(terms.chosen),
        "futureStudies": terms.future and terms.chosen is None,
        "modalities": sorted(terms.modalities),
        "bodySites": sorted(terms.body_sites),
        "startedFrom": terms.started_from.isoformat() if terms.started_from else None,
        "startedTo": terms.started_to.isoformat() if terms.started_to else None,
        "reports": terms.reports,
        "images": terms.images,
        "purpose": terms.purpose,
    }


def _when(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
