"""The apps that other people wrote, as they are registered with us."""
