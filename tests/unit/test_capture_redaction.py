from pathlib import Path

import pytest
from pydantic import JsonValue

from sandbox.capture.channels import channel_of, register_channels
from sandbox.capture.redaction import redacted_payload, redacted_text

pytestmark = pytest.mark.unit

WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefake"


def test_fields_for_keys_are_left_out_at_any_depth() -> None:
    payload = redacted_payload({"routing_key": "x", "a": [{"API_Key": "x", "b": 1}]}, "")
    assert payload == {"a": [{"b": 1}]}


def test_the_path_of_any_webhook_is_taken_out_of_text() -> None:
    text = redacted_text(f"<{WEBHOOK}|here> and {WEBHOOK.upper()}", "")
    assert (
        text == "<https://hooks.slack.com/[redacted]|here> and HTTPS://HOOKS.SLACK.COM/[redacted]"
    )


def test_text_without_a_secret_stays_as_it_is() -> None:
    payload: dict[str, JsonValue] = {
        "a": "https://example.org/x",
        "b": [None, True, 1.5, {"c": ""}],
    }
    assert redacted_payload(payload, "") == payload


def test_only_hashes_of_secrets_are_written(tmp_path: Path) -> None:
    register_channels(tmp_path, {WEBHOOK: "#alerts"})
    (written,) = tmp_path.iterdir()
    assert "fakefakefake" not in written.read_text()


def test_a_secret_is_known_by_its_last_registration_only(tmp_path: Path) -> None:
    register_channels(tmp_path, {WEBHOOK: "#old", "fake-key": "pager"})
    register_channels(tmp_path, {WEBHOOK: "#new"})
    assert channel_of(tmp_path, WEBHOOK) == "#new"
    assert channel_of(tmp_path, "fake-key") == "unknown"


def test_a_slash_at_a_webhooks_end_makes_no_difference(tmp_path: Path) -> None:
    register_channels(tmp_path, {WEBHOOK + "/": "#alerts"})
    assert channel_of(tmp_path, WEBHOOK) == "#alerts"
