"""The sandbox's EHR: a SMART App Launch 2.2 authorization server, a portal and a FHIR R4 server per hospital."""
