"""id_tokens: what they say of the person who allowed the app."""
