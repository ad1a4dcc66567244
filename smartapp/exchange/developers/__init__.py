"""Developers register apps, by a program (RFC 7591) or on our pages, under one policy, and see how theirs fare."""
