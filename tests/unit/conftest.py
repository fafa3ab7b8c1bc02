"""Fixtures of the unit tests."""

import gc

import pytest

from tests.unit.recording_mocks import FAKE_WEBHOOK

# The mocks make garbage in cycles by the million; looking for it is an eighth of the time.
gc.set_threshold(100_000, 50, 50)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fakes of all that the stack files of this project take from the environment."""
    monkeypatch.setenv("PREFECT_API_KEY", "fake-api-key")
    monkeypatch.setenv("PREFECT_BASIC_AUTH_KEY", "admin:fake-password")
    for suffix in ("", "_CRITICAL", "_INFO"):
        monkeypatch.setenv(f"SLACK_WEBHOOK_URL{suffix}", f"{FAKE_WEBHOOK}{suffix.strip('_')}")
    return monkeypatch
