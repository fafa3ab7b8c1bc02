"""Fixtures of the unit tests."""

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.recording_mocks import FAKE_WEBHOOK

# The same examples each time, or a build would fail for reasons of its own.
settings.register_profile(
    "unit",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("unit")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fakes of all that the stack files of this project take from the environment."""
    monkeypatch.setenv("PREFECT_API_KEY", "fake-api-key")
    monkeypatch.setenv("PREFECT_BASIC_AUTH_KEY", "admin:fake-password")
    for suffix in ("", "_CRITICAL", "_INFO"):
        monkeypatch.setenv(f"SLACK_WEBHOOK_URL{suffix}", f"{FAKE_WEBHOOK}{suffix.strip('_')}")
    return monkeypatch
