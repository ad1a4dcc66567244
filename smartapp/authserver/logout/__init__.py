"""Signing out when an app asks for it (OpenID Connect RP-Initiated Logout 1.0)."""
