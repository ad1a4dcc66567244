"""Ids of what is ours alone, and references to it. Pure."""

import hashlib
from typing import Final

ENDPOINT: Final = "dicomweb"
"""The one Endpoint of a provider: our DICOMweb service."""


def hospital_id(provider: str) -> str:
    """The id of the Organization that a provider is here; it cannot be one of the EHR's."""
    return hashlib.sha256(f"Organization\x1f{provider}".encode()).hexdigest()[:40]


def form_id(provider: str, report_id: str, index: int) -> str:
    """The id of one file of a report, as a DocumentReference and as a Binary."""
    return hashlib.sha256(f"Binary\x1f{provider}\x1f{report_id}\x1f{index}".encode()).hexdigest()[:40]
