"""People, principals, roles and browser sessions."""
