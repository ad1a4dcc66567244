"""The authorization endpoint (RFC 6749 §3.1, SMART App Launch 2.2): a list of checks, then a page for the patient."""
