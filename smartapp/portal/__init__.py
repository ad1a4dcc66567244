"""HTML for people: signing in, and a patient's own pages. Views parse, call one use-case and render."""
