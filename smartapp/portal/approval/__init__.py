"""The page on which a person allows an app something, or nothing."""
