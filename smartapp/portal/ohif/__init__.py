"""The viewer that measures: how it is opened from a study's page, and the small site that serves it elsewhere."""
