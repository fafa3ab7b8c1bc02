import json
from pathlib import Path

import pytest

from sandbox.capture import webhook
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import Service

pytestmark = pytest.mark.tools

TOKEN = "fakefakefakefake"
URL = f"https://hooks.example.com/alerts/{TOKEN}?room=1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {URL: "hook"})
    return tmp_path


def test_a_registered_url_takes_any_object(folder: Path) -> None:
    body = {"subject": "orders failed", "message": "No rows", "more": [1]}
    captured, answer = webhook.receive(folder, URL, "", json.dumps(body).encode())
    assert (answer.status_code, answer.body) == (200, "ok")
    assert (captured.service, captured.channel) == (Service.WEBHOOK, "hook")
    assert (captured.host, captured.title) == ("hooks.example.com", "orders failed")
    assert (captured.text, captured.payload) == ("No rows", body)


@pytest.mark.parametrize("body", [b"hello", b"[1]", b"\xff", b""])
def test_what_is_no_object_is_kept_as_text(folder: Path, body: bytes) -> None:
    captured, answer = webhook.receive(folder, URL, "", body)
    assert answer.status_code == 200
    assert (captured.text, captured.payload) == (body.decode(errors="replace"), {})


@pytest.mark.parametrize(
    "url", [URL + "1", URL.partition("?")[0], "https://other.example.com/", URL.replace("s", "x")]
)
def test_another_url_is_not_found(folder: Path, url: str) -> None:
    captured, answer = webhook.receive(folder, url, "", b"{}")
    assert answer.status_code == 404
    assert (captured.channel, captured.accepted) == ("unknown", False)


@pytest.mark.parametrize(
    ("method", "host", "takes"),
    [
        ("POST", "hooks.example.com", True),
        ("PUT", "a.b.example.com", True),
        ("GET", "hooks.example.com", False),
        ("POST", "example.com", False),
        ("POST", "hooks.example.com.example.org", False),
        ("POST", "hooksexample.com", False),
    ],
)
def test_only_what_is_below_example_com_is_a_webhook(method: str, host: str, takes: bool) -> None:
    assert webhook.takes(method, host) is takes


@pytest.mark.parametrize("registered", [True, False])
def test_the_url_and_the_key_are_nowhere_in_the_record(folder: Path, registered: bool) -> None:
    url = URL if registered else URL.replace("fake", "nope")
    token = url.split("/")[4].partition("?")[0]
    text = f"to {url} or {token} with key-key-key-key"
    for body in (text.encode(), json.dumps({"title": text, token: [text]}).encode()):
        captured, _ = webhook.receive(folder, url, "Bearer key-key-key-key", body)
        for secret in (token, "key-key-key-key"):
            assert secret not in captured.model_dump_json()
