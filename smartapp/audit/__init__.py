"""What happened, written down before it happens: typed events, disclosures, and the append-only store."""
