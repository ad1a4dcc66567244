"""Every secret we hand out, and what the rooms below need of those above to use one."""
