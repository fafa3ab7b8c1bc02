"""Fixtures of the unit tests."""

from tests.shared.stack_credentials import credentials

__all__ = ["credentials"]
