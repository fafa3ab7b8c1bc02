import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.capture import teams
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import Service

pytestmark = pytest.mark.tools

SIGNATURE = "fake-signature_fake-signature"
WORKFLOW = "0123abcdef0123abcdef"
HOST = "prod-01.westeurope.logic.azure.com"
PATH = f"/workflows/{WORKFLOW}/triggers/manual/paths/invoke"
URL = (
    f"https://{HOST}{PATH}"
    f"?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIGNATURE}"
)
HEADING = {"type": "TextBlock", "text": "orders failed", "style": "heading"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {URL: "data"})
    return tmp_path


def message(*body: dict[str, Any], **more: object) -> bytes:
    content = {"type": "AdaptiveCard", "version": "1.4", "body": body, **more}
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": content}
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def test_a_card_is_accepted_and_recorded_under_its_channel(folder: Path) -> None:
    body = message(HEADING, {"type": "Image", "url": "x"}, {"type": "TextBlock", "text": "No rows"})
    captured, answer = teams.receive(folder, URL, body)
    assert (answer.status_code, answer.body) == (202, "")
    assert (captured.service, captured.host, captured.channel) == (Service.TEAMS, HOST, "data")
    assert (captured.title, captured.text) == ("orders failed", "No rows")
    assert captured.accepted


def test_facts_are_part_of_the_text(folder: Path) -> None:
    facts = {"type": "FactSet", "facts": [{"title": "Owner", "value": "web"}]}
    captured, _ = teams.receive(folder, URL, message(HEADING, facts))
    assert captured.text == "Owner: web"


def test_whom_a_card_mentions_is_recorded(folder: Path) -> None:
    mention = {"type": "mention", "text": "<at>ann</at>", "mentioned": {"id": "a", "name": "a"}}
    body = message(HEADING, msteams={"width": "full", "entities": [mention]})
    captured, _ = teams.receive(folder, URL, body)
    assert captured.mentions == ("<at>ann</at>",)


def test_another_signature_is_unauthorized(folder: Path) -> None:
    captured, answer = teams.receive(folder, URL + "x", message(HEADING))
    assert answer.status_code == 401
    assert (captured.channel, captured.answer) == ("unknown", "DirectApiAuthorizationRequired")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"text": "hello"}',
        b'{"type": "message", "attachments": []}',
        b'{"type": "message", "attachments": [{"contentType": "x", "content": {}}]}',
    ],
)
def test_what_is_no_card_does_not_match_the_triggers_schema(folder: Path, body: bytes) -> None:
    captured, answer = teams.receive(folder, URL, body)
    assert (answer.status_code, captured.answer) == (400, "TriggerInputSchemaMismatch")


def test_what_is_too_large_for_a_channel_is_refused(folder: Path) -> None:
    text = {"type": "TextBlock", "text": "x" * 28 * 1024}
    captured, answer = teams.receive(folder, URL, message(text))
    assert (answer.status_code, captured.answer) == (413, "RequestEntityTooLarge")


def test_the_webhook_is_nowhere_in_the_record(folder: Path) -> None:
    for signature in (SIGNATURE, SIGNATURE[::-1]):
        url = URL.replace(SIGNATURE, signature)
        text = {"type": "TextBlock", "text": f"{url} {signature} {WORKFLOW} https://{HOST}{PATH}"}
        captured, answer = teams.receive(folder, url, message(text))
        for secret in (signature, WORKFLOW):
            assert secret not in captured.model_dump_json() + answer.body


@pytest.mark.parametrize(
    ("host", "path", "is_there"),
    [
        (HOST, PATH, True),
        (
            "x.ab.environment.api.powerplatform.com",
            f"/powerautomate/automations/direct{PATH}",
            True,
        ),
        ("x.ab.api.powerplatform.com", f"/powerautomate/automations/direct/cu/12{PATH}", True),
        (HOST, "/workflows/x/runs", False),
        ("logic.azure.com.example.org", PATH, False),
    ],
)
def test_only_a_workflows_webhook_is_taken_for_one(host: str, path: str, is_there: bool) -> None:
    assert teams.is_at(host, path) is is_there
