"""A third-party app, as somebody else would write one: a small SMART app that asks for everything and shows images."""
