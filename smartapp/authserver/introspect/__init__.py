"""Introspection (RFC 7662)."""
