"""How much of something may be done in a while, counted in the database: exact over all workers."""
