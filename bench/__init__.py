"""How fast, as ratios: each row runs two things in one run on the same machine. `make bench`."""
