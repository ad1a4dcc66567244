"""The rooms that know apps, made once: see tests/tokens/apps."""

from tests.tokens.apps.conftest import house, worker

__all__ = ["house", "worker"]
