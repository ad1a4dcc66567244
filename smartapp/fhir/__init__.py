"""FHIR R4: the EHR's as we read it (`upstream`)."""
