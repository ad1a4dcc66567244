"""What patients let apps do: asked for, allowed, narrowed, held, ended; and what came of it."""
