"""Consents that the hospital's EHR holds (FHIR R4 consent.html): read, and obeyed, denials first. Pure."""
