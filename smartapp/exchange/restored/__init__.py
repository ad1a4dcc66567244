"""What happens when the database turns out to be an earlier one: a backup that was put back."""
