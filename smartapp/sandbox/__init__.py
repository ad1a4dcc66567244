"""A sandbox: an EHR with SMART sign-in (two hospitals), a PACS, sample people and scans; processes of their own."""
