"""How the hospital is known to people, and where its door is for apps (SMART App Launch 2.2, User-access Brands)."""
