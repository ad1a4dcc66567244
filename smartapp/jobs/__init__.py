"""Work that nobody waits for. Each job may run in any number of workers, twice, late, and after a kill."""
