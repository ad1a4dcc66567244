"""What the EHR's own pages may do."""

# No form-action: browsers hold it against the redirect back to the app, whose address differs per app.
POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
