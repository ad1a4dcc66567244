"""Ways in and out: choosing the hospital, the SMART launch and its callback, signing out."""
