"""The sample world as FHIR R4 resources."""
