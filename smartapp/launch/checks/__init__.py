"""One check of what came from the other side per file; each raises a Refusal, none asks the network."""
