"""Prefect's own notification blocks, and what reaches their services of hostile text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.blocks.abstract import NotificationError
from prefect.blocks.notifications import (
    AbstractAppriseNotificationBlock,
    CustomWebhookNotificationBlock,
    MicrosoftTeamsWebhook,
    SendgridEmail,
    SlackWebhook,
)
from prefect.server.utilities.user_templates import render_user_template_sync
from prefect.types import SecretDict
from prefect.utilities import templating
from pydantic import SecretStr

from sandbox.capture import sendgrid
from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.capture.incidents import IncidentStatus, incidents
from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.environment import captured

pytestmark = pytest.mark.contract

SLACK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
KEY = "fake" * 8
ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
WORKFLOW = (
    "https://prod-01.westeurope.logic.azure.com:443/workflows/0123abcdef/triggers/manual/paths/"
    "invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=fakefakefakefake"
)
POWER_AUTOMATE = (
    "https://default0a.1b.environment.api.powerplatform.com:443/powerautomate/automations/direct/"
    "workflows/0123abcdef/triggers/manual/paths/invoke"
    "?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=fakefakefakefake"
)
MAIL_KEY = "SG.fake-fake-fake-fake.fake_fake_fake_fake"
HOOK = "https://hooks.example.com/alerts/fakefakefakefake?room=1"
JSON = {"Content-Type": "application/json"}
# With newlines in the placeholder no text in JSON can spell it.
RAW_EVENT = '{"routing_key": "{{\nkey\n}}", {{body}}}'
HOSTILE = [
    "quotes \" ' ` and \\ \\n \\u0041",
    "braces { } {{ }} }}, {",
    "{{key}} {{ key }} {{\nkey\n}} {{{key}}} {{url}} {{body}} {{subject}} {{name}}",
    "{% raw %} {{ event.id }} {# x #} {% endif %}",
    "</script><script>alert(1)</script> & &amp; &#60;",
    "controls \x00 \x01 \x1b[31m \x7f \r\n \t \u2028 \u202e",
    "%41 %0a + ;",
    "emoji 🙈, ß and 漢",
]

Block = AbstractAppriseNotificationBlock | CustomWebhookNotificationBlock
Messages = Callable[[], list[CapturedMessage]]


@pytest.fixture(autouse=True)
def channels(
    capture: CaptureAddress, capture_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_channels(
        capture_folder,
        {
            SLACK: "#alerts",
            KEY: "pager",
            WORKFLOW: "data",
            POWER_AUTOMATE: "data, automated",
            sendgrid.address(MAIL_KEY, "team@example.com"): "team",
            sendgrid.address(MAIL_KEY, "lead@example.com"): "lead",
            HOOK: "hook",
        },
    )
    for name, value in captured(capture.proxy_url, capture.ca_file).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def messages(capture_folder: Path) -> Messages:
    return lambda: read_messages(capture_folder)


@pytest.fixture(params=[False, True], ids=["first order", "other order"])
def every_order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect replaces placeholders in the order of a set, which each process has another of."""
    find = templating.find_placeholders

    def in_order(template: Any) -> Any:  # noqa: ANN401 - as Prefect has it
        return sorted(find(template), reverse=request.param)

    monkeypatch.setattr(templating, "find_placeholders", in_order)


def webhook(url: str, form_data: str, /, **secrets: str) -> CustomWebhookNotificationBlock:
    return CustomWebhookNotificationBlock(
        name="alerts",
        url=url,
        headers=JSON,
        cookies=None,
        form_data=form_data,
        secrets=SecretDict(secrets),
    )


def notify(block: Block, body: str, subject: str = "orders failed") -> None:
    """Send as the server does: it wants to know of a failure."""
    with block.raise_on_failure():
        block.notify(body, subject)


def page(action: str, summary: str, **details: str) -> str:
    event = {
        "event_action": action,
        "dedup_key": "prod/orders",
        "payload": {
            "summary": summary,
            "source": "prod",
            "severity": "critical",
            "component": "orders",
            "class": "pipeline failure",
            "custom_details": details,
        },
        "links": [{"href": "https://example.org/run", "text": "Run"}],
        "client": "data-alerts",
    }
    return json.dumps(event)[1:-1]


def rich(text: str) -> str:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return json.dumps({"text": "orders failed", "blocks": [section]})


def test_one_raw_webhook_opens_updates_and_resolves_an_incident(messages: Messages) -> None:
    block = webhook(ENQUEUE, RAW_EVENT, key=KEY)
    notify(block, page("trigger", "3 failures", owner="web"))
    notify(block, page("trigger", "6 failures", owner="web"))
    notify(block, page("resolve", "recovered"))
    [incident] = incidents(messages())
    assert (incident.channel, incident.dedup_key) == ("pager", "prod/orders")
    assert incident.status is IncidentStatus.RESOLVED
    assert incident.summaries == ("3 failures", "6 failures")


def test_a_raw_webhook_carries_block_kit_to_a_url_that_is_a_secret(messages: Messages) -> None:
    notify(webhook("{{url}}", "{{body}}", url=SLACK), rich("*No rows*"))
    [message] = messages()
    assert (message.channel, message.answer, message.text) == ("#alerts", "ok", "*No rows*")


@pytest.mark.usefixtures("every_order")
def test_hostile_text_arrives_as_it_is_and_draws_no_key_out(messages: Messages) -> None:
    for text in HOSTILE:
        event = page("trigger", "orders failed", error=text)
        notify(webhook(ENQUEUE, RAW_EVENT, key=KEY), event, subject=text)
        notify(webhook("{{url}}", "{{body}}", url=SLACK), rich(text), subject=text)
        paged, told = messages()[-2:]
        assert (paged.answer, paged.text) == ("Event processed", f"error: {text}")
        assert (told.answer, told.text) == ("ok", text)


@pytest.mark.usefixtures("every_order")
def test_a_long_text_arrives_whole(messages: Messages) -> None:
    notify(webhook(ENQUEUE, RAW_EVENT, key=KEY), page("trigger", "x", error="x" * 500_000))
    notify(webhook(HOOK, "{{body}}"), json.dumps({"text": "x" * 1_000_000}))
    paged, told = messages()
    assert (len(paged.text), len(told.text)) == (len("error: ") + 500_000, 1_000_000)


def test_a_megabyte_is_too_much_for_pagerduty_and_for_a_block_of_slack() -> None:
    for block, body in (
        (webhook(ENQUEUE, RAW_EVENT, key=KEY), page("trigger", "x", error="x" * 1_000_000)),
        (webhook("{{url}}", "{{body}}", url=SLACK), rich("x" * 1_000_000)),
    ):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            notify(block, body)


def test_a_placeholder_that_text_can_spell_is_drawn_out_in_one_of_two_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Why RAW_EVENT is spelled as it is. Should this fail, Prefect has mended it.
    find = templating.find_placeholders
    block = webhook(ENQUEUE, '{"routing_key": "{{key}}", {{body}}}', key=KEY)
    sent = []
    for reverse in (False, True):
        monkeypatch.setattr(
            templating,
            "find_placeholders",
            lambda template, reverse=reverse: sorted(find(template), reverse=reverse),
        )
        sent.append(block._build_request_args('"error": "{{key}}"', "x")["content"].count(KEY))
    assert sorted(sent) == [1, 2]


def test_slack_mentions_are_recorded_however_the_plain_block_makes_them(
    messages: Messages,
) -> None:
    block = SlackWebhook(url=SecretStr(SLACK))
    for text in ("<!channel>", "!here>", "<@U123|ann>", "\u2039!channel\u203a", "&lt;!channel&gt;"):
        notify(block, text)
    assert [message.mentions for message in messages()] == [
        ("<!channel>",),
        ("<!here>",),
        ("<@U123>",),
        (),
        (),
    ]


def test_some_text_keeps_the_plain_slack_block_from_sending(messages: Messages) -> None:
    for text in ("error @a\\d>", "https://x/\\d>", "<@a\\1>"):
        with pytest.raises(NotificationError):
            notify(SlackWebhook(url=SecretStr(SLACK)), text)
    assert messages() == []


def test_the_teams_block_posts_a_card_to_either_form_of_url(messages: Messages) -> None:
    for url in (WORKFLOW, POWER_AUTOMATE):
        notify(MicrosoftTeamsWebhook(url=SecretStr(url)), 'No "rows"\n{{key}} <at>ann</at>')
    assert [(m.channel, m.status_code) for m in messages()] == [
        ("data", 202),
        ("data, automated", 202),
    ]
    for message in messages():
        assert (message.title, message.text) == (
            "orders failed",
            'No "rows"\n{{key}} <at>ann</at>',
        )
        assert message.mentions == ("<at>ann</at>",)


def test_the_sendgrid_block_sends_each_recipient_a_mail(messages: Messages) -> None:
    block = SendgridEmail(
        api_key=SecretStr(MAIL_KEY),
        sender_email="alerts@example.com",
        to_emails=["team@example.com", "lead@example.com"],
    )
    notify(block, "No <b>rows</b>\n{{key}}")
    assert {(message.channel, message.answer) for message in messages()} == {
        ("team", "accepted"),
        ("lead", "accepted"),
    }
    assert {(message.title, message.text) for message in messages()} == {
        ("orders failed", "No <b>rows</b>\n{{key}}")
    }


def test_a_webhook_of_nobody_in_particular_is_known_by_its_whole_url(messages: Messages) -> None:
    notify(webhook("{{url}}", "{{body}}", url=HOOK), json.dumps({"title": "t", "text": "x"}))
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        notify(webhook("{{url}}", "{{body}}", url=HOOK + "0"), "{}")
    taken, refused = messages()
    assert (taken.channel, taken.title, taken.text) == ("hook", "t", "x")
    assert (refused.channel, refused.accepted) == ("unknown", False)


def test_a_refusal_is_a_failed_notification(messages: Messages) -> None:
    refused: list[Block] = [
        SlackWebhook(url=SecretStr(SLACK + "0")),
        MicrosoftTeamsWebhook(url=SecretStr(WORKFLOW + "0")),
        SendgridEmail(
            api_key=SecretStr("SG.other"), sender_email="a@example.com", to_emails=["b@example.com"]
        ),
    ]
    for block in refused:
        with pytest.raises(NotificationError):
            notify(block, "x")
    assert [message.accepted for message in messages()] == [False] * 3


def test_no_secret_is_kept(capture: CaptureAddress, capture_folder: Path) -> None:
    notify(webhook(ENQUEUE, RAW_EVENT, key=KEY), page("trigger", "x", error=KEY))
    notify(webhook("{{url}}", "{{body}}", url=SLACK), rich(SLACK))
    notify(MicrosoftTeamsWebhook(url=SecretStr(WORKFLOW)), WORKFLOW)
    notify(
        SendgridEmail(
            api_key=SecretStr(MAIL_KEY),
            sender_email="a@example.com",
            to_emails=["team@example.com"],
        ),
        MAIL_KEY,
    )
    notify(webhook(HOOK, "{{body}}"), json.dumps({"text": HOOK}))
    kept = [file.read_bytes() for file in capture_folder.rglob("*") if file.is_file()]
    shown = [
        httpx.get(capture.page_url + path, trust_env=False).content
        for path in ("/", "/api/messages")
    ]
    assert len(read_messages(capture_folder)) == 5
    for secret in (SLACK, KEY, WORKFLOW, "fakefakefakefake", MAIL_KEY, HOOK):
        assert not any(secret.encode() in text for text in (*kept, *shown))


def test_templates_can_write_text_that_no_block_replaces() -> None:
    template = "{{ text | tojson | replace('{{', '{\\\\u007b') }}"
    for text in HOSTILE:
        written = render_user_template_sync(template, {"text": text})
        assert json.loads(written) == text
        assert "{{" not in written
