"""The record as FHIR R4 resources, for apps: built from the index, the archive's rows and the EHR's own resources."""
