"""We as SMART client of the EHR: discovery, launch, callback, and the keeping of its tokens (SMART App Launch 2.2)."""
