"""Alerts by mail, to an address that was shown to be the person's. None says anything about health."""
