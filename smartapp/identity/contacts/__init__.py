"""Where a person's alerts go: one address, sealed under a key of that person's own."""
