"""The Flask code that every surface shares: access rules, sessions, CSRF, headers, errors, languages."""
