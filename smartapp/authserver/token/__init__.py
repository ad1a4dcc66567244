"""The token endpoint (RFC 6749 §3.2): one file for each grant type, and one for what they answer."""
