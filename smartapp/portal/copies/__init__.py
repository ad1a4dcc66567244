"""Pages from which a person takes a copy away."""
