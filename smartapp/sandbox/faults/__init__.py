"""Makes the sandbox's EHR and PACS misbehave on request: relays before them, and an address that says how."""
