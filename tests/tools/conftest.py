"""Fixtures of the tests of tools."""

from tests.shared.stack_credentials import credentials

__all__ = ["credentials"]
