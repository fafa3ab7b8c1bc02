import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.capture import slack
from sandbox.capture.answer import Answer
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import CapturedMessage

pytestmark = pytest.mark.tools

PATH = "/services/T0FAKE/B0FAKE/fakefakefake"
Block = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {f"https://hooks.slack.com{PATH}": "#alerts"})
    return tmp_path


def receive(folder: Path, body: dict[str, Any]) -> tuple[CapturedMessage, Answer]:
    return slack.receive(folder, PATH, json.dumps(body).encode())


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text)}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def fields(count: int, text: str = "x") -> Block:
    return {"type": "section", "fields": [mrkdwn(text)] * count}


def button(text: str = "Open", **more: object) -> Block:
    return {"type": "button", "text": plain(text), **more}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def context(count: int, text: str = "x") -> Block:
    return {"type": "context", "elements": [mrkdwn(text)] * count}


MESSAGE = {
    "text": "orders failed",
    "blocks": [
        header("orders failed"),
        section("No rows"),
        fields(1, "*Owner* web"),
        {"type": "divider"},
        actions(button("Open run", url="https://example.org/run")),
        context(1, "prod"),
    ],
}


def test_blocks_are_taken_with_their_header_as_the_title(folder: Path) -> None:
    message, answer = receive(folder, MESSAGE)
    assert (answer.status_code, answer.body) == (200, "ok")
    assert message.title == "orders failed"
    assert message.text == "No rows\n*Owner* web\nOpen run: https://example.org/run\nprod"
    assert message.payload == MESSAGE
    assert message.mentions == ()


def test_blocks_in_an_attachment_are_taken(folder: Path) -> None:
    body = {"attachments": [{"color": "#A32037", "blocks": [header("title"), section("text")]}]}
    message, answer = receive(folder, body)
    assert (answer.body, message.title, message.text) == ("ok", "title", "text")


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x")] * 50,
        [header("x" * 150)],
        [section("x" * 3000)],
        [fields(10, "x" * 2000)],
        [context(10)],
        [actions(*[button("x" * 75, url="https://example.org")] * 25)],
        [{**section("x"), "accessory": button(style="danger"), "block_id": "a"}],
    ],
)
def test_what_is_within_slacks_limits_is_taken(folder: Path, blocks: list[Block]) -> None:
    assert receive(folder, {"blocks": blocks})[1].body == "ok"


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x")] * 51,
        [header("x" * 151)],
        [header("")],
        [{"type": "header", "text": mrkdwn("x")}],
        [section("x" * 3001)],
        [section("")],
        [{"type": "section"}],
        [fields(11)],
        [fields(0)],
        [fields(1, "x" * 2001)],
        [context(11)],
        [context(0)],
        [actions()],
        [actions(*[button()] * 26)],
        [actions(button("x" * 76))],
        [actions({**button(), "text": mrkdwn("x")})],
        [actions(button(url="example.org"))],
        [actions(button(url="https://example.org/" + "x" * 3000))],
        [actions(button(action_id="a"), button(action_id="a"))],
        [actions(button(style="loud"))],
        [{**section("x"), "colour": "red"}],
        [{"type": "nonsense"}],
        [{}],
        ["x"],
    ],
)
def test_what_slack_does_not_take_is_an_invalid_block(folder: Path, blocks: list[Block]) -> None:
    message, answer = receive(folder, {"text": "x", "blocks": blocks})
    assert (answer.status_code, answer.body) == (400, "invalid_blocks")
    assert not message.accepted
    _, answer = receive(folder, {"attachments": [{"text": "x", "blocks": blocks}]})
    assert (answer.status_code, answer.body) == (400, "invalid_blocks")


def test_blocks_that_are_no_list_have_an_invalid_format(folder: Path) -> None:
    _, answer = receive(folder, {"text": "x", "blocks": json.dumps([section("x")])})
    assert (answer.status_code, answer.body) == (400, "invalid_blocks_format")


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("<!channel>", "<!channel>"),
        ("<!here|here>", "<!here>"),
        ("a<!everyone>b", "<!everyone>"),
        ("`<@U123>`", "<@U123>"),
        ("<@U123|ann>", "<@U123>"),
        ("<!subteam^S12|@web>", "<!subteam^S12>"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        lambda text: {"text": text},
        lambda text: {"text": "x", "blocks": [section(text)]},
        lambda text: {"blocks": [fields(1, text)]},
        lambda text: {"blocks": [context(1, text)]},
        lambda text: {"attachments": [{"text": text}]},
        lambda text: {"attachments": [{"blocks": [section(text)]}]},
    ],
)
def test_whom_a_message_mentions_is_recorded(
    folder: Path, body: Callable[[str], dict[str, Any]], text: str, mention: str
) -> None:
    message, _ = receive(folder, body(text))
    assert message.mentions == (mention,)


@pytest.mark.parametrize(
    "body",
    [
        {"text": "&lt;!channel&gt; &lt;@U123&gt;"},
        {"text": "@channel @here <#C123> <https://example.org/@U123|x> a@here.org"},
        {"text": "x", "blocks": [header("<!channel>"), actions(button("<@U123>"))]},
    ],
)
def test_what_slack_takes_for_no_mention_is_none(folder: Path, body: dict[str, Any]) -> None:
    message, answer = receive(folder, body)
    assert (answer.body, message.mentions) == ("ok", ())


@pytest.mark.parametrize("asking", [{"parse": "full"}, {"link_names": True}])
def test_a_bare_name_is_a_mention_where_the_message_asks_for_it(
    folder: Path, asking: dict[str, Any]
) -> None:
    message, _ = receive(folder, {"text": "@channel and ann@here.org", **asking})
    assert message.mentions == ("<!channel>",)


def test_a_mention_is_recorded_once_in_the_order_of_the_text(folder: Path) -> None:
    message, _ = receive(folder, {"text": "<@U1> <!here> <@U1>"})
    assert message.mentions == ("<@U1>", "<!here>")
