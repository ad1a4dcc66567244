"""Security labels that keep a study from an app until the patient has ticked it by itself (threat A31). Pure."""

from collections.abc import Iterable
from typing import Final

CONFIDENTIALITY: Final = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "http://hl7.org/fhir/v3/Confidentiality",
        "urn:oid:2.16.840.1.113883.5.25",
    }
)
"""The names that HL7 v3 Confidentiality goes by."""
_HARMLESS: Final = frozenset(
    f"{system}|{code}" for system in CONFIDENTIALITY for code in ("U", "L", "M", "N")
) | frozenset(
    f"{system}|HTEST"
    for system in ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "http://hl7.org/fhir/v3/ActReason")
)
"""Unrestricted, low, moderate, normal, and: this is test data (HL7 v3 Confidentiality, ActReason)."""


def is_sensitive(labels: Iterable[str]) -> bool:
    """Whether any of the labels (`system|code`) may mean more than ordinary care: R, V, a sensitivity such as HIV, or
    one that we do not know.
    """
    return not _HARMLESS.issuperset(labels)
