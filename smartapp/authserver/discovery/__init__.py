"""What programs read before anything else: where things are, and what works (SMART App Launch 2.2, RFC 8414)."""
