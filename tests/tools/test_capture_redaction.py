from pathlib import Path

import pytest
from pydantic import JsonValue

from sandbox.capture.channels import channel_of, register_channels
from sandbox.capture.redaction import redacted_payload, redacted_text, secrets_of

pytestmark = pytest.mark.tools

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


def test_the_order_and_the_usual_port_of_a_url_make_no_difference(tmp_path: Path) -> None:
    register_channels(tmp_path, {"https://Prod.logic.azure.com:443/x?b=2&a=%2F1": "data"})
    assert channel_of(tmp_path, "https://prod.logic.azure.com/x?a=/1&b=2") == "data"
    for other in ("x?a=/1&b=3", "x?a=/1", "X?a=/1&b=2", "x?a=/1&b=2&b=2"):
        assert channel_of(tmp_path, f"https://prod.logic.azure.com/{other}") == "unknown"


@pytest.mark.parametrize(
    "secret",
    [
        "https://prod-01.westeurope.logic.azure.com:443/workflows/abc?sig=fake",
        "https://x.ab.environment.api.powerplatform.com/powerautomate/x?sig=fake",
        "SG.fake-fake-fake-fake.fake_fake_fake_fake",
    ],
)
def test_secrets_known_by_their_shape_are_taken_out_of_text(secret: str) -> None:
    text = redacted_text(f"<{secret}|here> and {secret}.", "")
    assert "fake" not in text
    assert text.count("[redacted]") == 2


def test_of_several_secrets_every_one_is_taken_out() -> None:
    assert redacted_text("abcd ab", "ab", "", "abcd") == "[redacted] [redacted]"
    assert redacted_payload({"abcd": ["ab"]}, "ab", "abcd") == {"[redacted]": ["[redacted]"]}


def test_a_urls_long_parts_are_secret_and_its_short_ones_are_words() -> None:
    url = "https://hooks.example.com/alerts/0123456789abcdef?room=1&key=fake%2Ffakefakefake"
    secrets = secrets_of(url)
    assert {url, "0123456789abcdef", "fake/fakefakefake"} <= set(secrets)
    assert {"alerts", "1", "room", ""}.isdisjoint(secrets)
