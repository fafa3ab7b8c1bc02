"""What each vendor is asked of a secret, and what its answer means."""

from typing import get_args

import httpx
import pytest
from pydantic import SecretStr

from alerting.secrets.webhooks import VENDORS, Answer, Pulse, ask
from alerting.settings.channels import Channel
from tests.shared.secret_store import OLD

pytestmark = pytest.mark.tools

HOOK = "https://receiver.example.com/hooks?sig=fake"


@pytest.mark.parametrize(
    ("status", "body", "pulse"),
    [
        (400, "no_text", Pulse.LIVE),
        (400, "invalid_payload", Pulse.LIVE),
        (400, "missing_text_or_fallback_or_attachments", Pulse.LIVE),
        (400, "<html>a proxy in between</html>", Pulse.UNKNOWN),
        (403, "invalid_token", Pulse.DEAD),
        (404, "no_service", Pulse.DEAD),
        (404, "no_team", Pulse.DEAD),
        (410, "channel_is_archived", Pulse.DEAD),
        (429, "rate_limited", Pulse.UNKNOWN),
        (500, "rollup_error", Pulse.UNKNOWN),
    ],
)
def test_slacks_answers_tell_a_live_webhook_from_a_dead_one(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, pulse: Pulse
) -> None:
    sent: list[object] = []

    def post(url: str, json: object, **_: object) -> httpx.Response:
        sent.append(json)
        return httpx.Response(status, text=body, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)
    answer = ask("slack", SecretStr(OLD))
    assert answer.pulse is pulse
    assert "<html>" not in answer.text
    assert sent == [{"text": ""}]


def test_slack_out_of_reach_is_unknown_and_the_webhook_is_not_in_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def post(url: str, **_: object) -> httpx.Response:
        raise httpx.ConnectError(f"cannot connect to {url}")

    monkeypatch.setattr(httpx, "post", post)
    answer = ask("slack", SecretStr(OLD))
    assert answer == Answer(Pulse.UNKNOWN, "Slack cannot be reached from here (ConnectError)")


@pytest.mark.parametrize("kind", ["teams", "webhook", "pagerduty"])
def test_what_cannot_be_tried_without_a_message_is_not_asked(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*_: object, **__: object) -> None:
        pytest.fail("something was sent")

    monkeypatch.setattr(httpx.Client, "send", send)
    answer = ask(kind, SecretStr(HOOK))
    assert answer.pulse is Pulse.UNASKED
    assert "alertctl drill" in answer.text
    assert HOOK not in answer.text


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"scopes": ["mail.send"]}', Answer(Pulse.LIVE, "SendGrid knows the key, which may")),
        (200, '{"scopes": ["stats.read"]}', Answer(Pulse.DEAD, "the key may not send mail")),
        (401, '{"errors": []}', Answer(Pulse.DEAD, "the key is dead: SendGrid answers 401")),
        (200, "<html>a proxy in between</html>", Answer(Pulse.UNKNOWN, "SendGrid answers 200")),
        (200, '{"scopes": null}', Answer(Pulse.UNKNOWN, "SendGrid answers 200")),
        (200, "[]", Answer(Pulse.UNKNOWN, "SendGrid answers 200")),
        (500, '{"scopes": ["mail.send"]}', Answer(Pulse.UNKNOWN, "SendGrid answers 500")),
    ],
)
def test_sendgrid_is_asked_what_a_key_may_do_and_no_mail_is_sent(
    monkeypatch: pytest.MonkeyPatch, status: int, body: str, expected: Answer
) -> None:
    asked: list[object] = []

    def get(url: str, headers: dict[str, str], **_: object) -> httpx.Response:
        asked.append((url, headers))
        return httpx.Response(status, text=body, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)
    answer = ask("email", SecretStr("SG.fake"))
    assert answer.pulse is expected.pulse
    assert answer.text.startswith(expected.text)
    assert "SG.fake" not in answer.text
    assert asked == [("https://api.sendgrid.com/v3/scopes", {"Authorization": "Bearer SG.fake"})]


def test_sendgrid_out_of_reach_is_unknown_and_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def get(*_: object, headers: dict[str, str], **__: object) -> httpx.Response:
        raise httpx.ConnectError(f"cannot connect with {headers}")

    monkeypatch.setattr(httpx, "get", get)
    answer = ask("email", SecretStr("SG.fake"))
    assert answer == Answer(Pulse.UNKNOWN, "SendGrid cannot be reached from here (ConnectError)")


def test_of_every_kind_of_channel_it_is_known_whom_to_ask_and_where_to_revoke() -> None:
    [channels, _] = get_args(Channel)
    kinds = {get_args(each.model_fields["kind"].annotation)[0] for each in get_args(channels)}
    assert set(VENDORS) == kinds
    assert len({each.revocation for each in VENDORS.values()}) == len(kinds)
