"""The protocol of an authorization server, for third-party apps and organizations."""
