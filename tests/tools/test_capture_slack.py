import json
from pathlib import Path

import pytest

from sandbox.capture import slack
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import Service

pytestmark = pytest.mark.tools

TOKEN = "T0FAKE/B0FAKE/fakefakefake"
PATH = f"/services/{TOKEN}"
WEBHOOK = f"https://hooks.slack.com{PATH}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {WEBHOOK: "#alerts"})
    return tmp_path


def test_a_known_webhook_is_answered_ok_and_recorded_under_its_channel(folder: Path) -> None:
    body = {"attachments": [{"title": "orders failed", "text": "*Flow:* orders"}]}
    message, answer = slack.receive(folder, PATH, json.dumps(body).encode())
    assert (answer.status_code, answer.body) == (200, "ok")
    assert message.service is Service.SLACK
    assert (message.channel, message.status_code) == ("#alerts", 200)
    assert (message.title, message.text) == ("orders failed", "*Flow:* orders")
    assert message.payload == body
    assert message.accepted


def test_the_text_is_the_message_and_every_attachment(folder: Path) -> None:
    body = {"text": "one", "attachments": [{"text": "two"}, {"title": "x"}, {"text": "three"}]}
    message, _ = slack.receive(folder, PATH, json.dumps(body).encode())
    assert message.text == "one\ntwo\nthree"


@pytest.mark.parametrize("path", ["/services/T0FAKE/B0FAKE/other", "/services/", "/"])
def test_an_unknown_webhook_is_no_service(folder: Path, path: str) -> None:
    message, answer = slack.receive(folder, path, b'{"text": "hello"}')
    assert (answer.status_code, answer.body) == (404, "no_service")
    assert (message.channel, message.text) == ("unknown", "hello")
    assert not message.accepted


def test_every_webhook_is_unknown_before_the_first_deployment(tmp_path: Path) -> None:
    _, answer = slack.receive(tmp_path, PATH, b'{"text": "hello"}')
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=%7B%7D",
        b"[]",
        b'{"attachments": "x"}',
        b'{"text": 5}',
        b'{"text": "\\ud800"}',
        b"\xff",
    ],
)
def test_what_slack_cannot_show_is_an_invalid_payload(folder: Path, body: bytes) -> None:
    message, answer = slack.receive(folder, PATH, body)
    assert (answer.status_code, answer.body) == (400, "invalid_payload")
    assert (message.channel, message.answer) == ("#alerts", "invalid_payload")


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"text": ""}', b'{"attachments": []}', b'{"attachments": [{"color": "#ffffff"}]}'],
)
def test_a_message_that_says_nothing_is_refused_and_nobody_sees_it(
    folder: Path, body: bytes
) -> None:
    message, answer = slack.receive(folder, PATH, body)
    assert (answer.status_code, answer.body) == (400, "no_text")
    assert not message.accepted


def test_a_dead_webhook_is_told_before_what_is_wrong_with_the_message(folder: Path) -> None:
    _, answer = slack.receive(folder, "/services/T0FAKE/B0FAKE/revoked", b'{"text": ""}')
    assert (answer.status_code, answer.body) == (404, "no_service")


def test_the_webhook_is_nowhere_in_the_record(folder: Path) -> None:
    body = {
        "text": f"sent to {WEBHOOK} or {TOKEN}",
        "attachments": [{"title": TOKEN, TOKEN: {"deep": [WEBHOOK]}}],
    }
    message, _ = slack.receive(folder, PATH, json.dumps(body).encode())
    assert TOKEN not in message.model_dump_json()


@pytest.mark.parametrize(
    ("color", "fill"),
    [
        ("#3AA3E3", "#3AA3E3"),
        ("danger", "#e01e5a"),
        ("", "#a0a0a2"),
        ('red"/><script>', "#a0a0a2"),
        ("url(https://example.org)", "#a0a0a2"),
    ],
)
def test_only_a_colour_becomes_the_bar(color: str, fill: str) -> None:
    assert slack.Attachment(color=color).fill == fill
