"""The launch room before a fake EHR, the FHIR reader before a fake server, and the whole application."""

from tests.fhir_upstream.conftest import desk, ehr
from tests.launch.conftest import fake_ehr, house
from tests.threats.conftest import shared

__all__ = ["desk", "ehr", "fake_ehr", "house", "shared"]  # fixtures, found by their names here
