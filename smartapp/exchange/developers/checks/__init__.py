"""What is checked of a registration, a file each. `metadata` is the list of them."""
