"""The authorization server of each hospital, one protocol step per file."""
