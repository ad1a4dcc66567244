"""What programs may call, as an OpenAPI document."""
