"""What apps may see: each permission in plain words, what was done with it, and its end."""
