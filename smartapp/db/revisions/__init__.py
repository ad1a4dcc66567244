"""When something that we publish last changed: known to all workers, and kept over restarts."""
