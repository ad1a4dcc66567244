"""We as FHIR R4 server, for apps: reading and searching, behind the token."""
