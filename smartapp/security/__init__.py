"""Keys, sealed bytes and keyed hashes. Knows nothing of databases, people or the network."""
