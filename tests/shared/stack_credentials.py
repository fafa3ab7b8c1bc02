"""What stack files take from the environment."""

import pytest

from tests.shared.recording_mocks import FAKE_WEBHOOK


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fakes of all that the stack files of this project take from the environment."""
    monkeypatch.setenv("PREFECT_API_KEY", "fake-api-key")
    monkeypatch.setenv("PREFECT_BASIC_AUTH_KEY", "admin:fake-password")
    for suffix in ("", "_CRITICAL", "_INFO"):
        monkeypatch.setenv(f"SLACK_WEBHOOK_URL{suffix}", f"{FAKE_WEBHOOK}{suffix.strip('_')}")
    return monkeypatch
