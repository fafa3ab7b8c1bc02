"""Asking Slack for a webhook without sending a message, by way of the real capture process."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from alerting.secrets.webhooks import Answer, Pulse, ask
from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import read_messages
from sandbox.environment import captured

pytestmark = pytest.mark.contract

WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
REVOKED = "https://hooks.slack.com/services/T0FAKE/B0FAKE/revokedrevokedrevoked"


@pytest.fixture(autouse=True)
def channels(
    capture: CaptureAddress, capture_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_channels(capture_folder, {WEBHOOK: "#alerts"})
    for name, value in captured(capture.proxy_url, capture.ca_file).items():
        monkeypatch.setenv(name, value)


def test_a_live_webhook_answers_and_its_channel_sees_nothing(capture_folder: Path) -> None:
    assert ask("slack", SecretStr(WEBHOOK)) == Answer(Pulse.LIVE, "the webhook answers")
    [message] = read_messages(capture_folder)
    assert (message.channel, message.answer, message.accepted) == ("#alerts", "no_text", False)


def test_a_revoked_webhook_is_dead_and_says_why() -> None:
    answer = ask("slack", SecretStr(REVOKED))
    assert answer == Answer(Pulse.DEAD, "the webhook is dead: Slack answers 404 no_service")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("pagerduty", "fake" * 8),
        ("teams", "https://example.logic.azure.com/workflows/fake?sig=fake"),
        ("webhook", "https://receiver.example.com/fake"),
    ],
)
def test_what_has_no_harmless_question_is_not_asked(
    kind: str, value: str, capture_folder: Path
) -> None:
    register_channels(capture_folder, {value: "#alerts"})
    assert ask(kind, SecretStr(value)).pulse is Pulse.UNASKED
    assert read_messages(capture_folder) == []
