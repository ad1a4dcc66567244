"""The enforcement point: a question, its answer, the record of it, and only then a permit."""
