"""SMART scopes: their grammar, their algebra, and what they say in words. Pure."""
