"""What an app asks for, kept from the moment it asks until the patient says yes or no."""
