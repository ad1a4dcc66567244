"""The FHIR R4 server of each hospital: scopes enforced, searches paged."""
