"""What patients allowed to apps: grants, their versions and their history."""
