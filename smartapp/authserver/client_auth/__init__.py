"""Who the client is (RFC 6749 §2.3, RFC 7523 §3): by the method it registered, and by no other, at every endpoint."""

from smartapp.authserver.client_auth.service import CONFIDENTIAL, METHODS, authenticate
from smartapp.authserver.client_auth.shown import says_who

__all__ = ["CONFIDENTIAL", "METHODS", "authenticate", "says_who"]
