"""Pictures of messages, taken from the real page of a capture."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sandbox.capture.address import CaptureAddress
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import read_messages
from sandbox.pictures import pictures, take_pictures
from sandbox.state import SandboxError, SandboxState

pytestmark = pytest.mark.page

WEBHOOK = "https://hooks.slack.com/services/T0FAKE/B0FAKE/fakefakefakefakefakefake"
KEY = "fake" * 8
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def state(capture: CaptureAddress, capture_folder: Path) -> SandboxState:
    register_channels(capture_folder, {WEBHOOK: "#alerts", KEY: "pager"})
    return SandboxState(
        folder=capture_folder,
        prefect_api_url="http://127.0.0.1:1/api",
        prefect_ui_url="http://127.0.0.1:1",
        moto_url="http://127.0.0.1:2",
        proxy_url=capture.proxy_url,
        ca_file=capture.ca_file,
        page_url=capture.page_url,
    )


@pytest.fixture
def send(sender: httpx.Client) -> Callable[[str, str], None]:
    def send(title: str, text: str) -> None:
        body = {"attachments": [{"title": title, "text": text}]}
        sender.post(WEBHOOK, json=body).raise_for_status()

    return send


def event(sender: httpx.Client, action: str) -> None:
    payload = {"summary": "orders failed", "source": "prefect", "severity": "critical"}
    body = {"routing_key": KEY, "event_action": action, "dedup_key": "x", "payload": payload}
    sender.post("https://events.pagerduty.com/v2/enqueue", json=body).raise_for_status()


def size(file: Path) -> tuple[int, int]:
    content = file.read_bytes()
    assert content.startswith(PNG)
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def test_a_picture_is_as_tall_as_its_message(
    state: SandboxState, send: Callable[[str, str], None], tmp_path: Path
) -> None:
    send("short", "one line")
    send("long", "line\n" * 20)
    short, long = read_messages(state.folder)
    files = {tmp_path / "short.png": short.id, tmp_path / "long.png": long.id}
    take_pictures(state.page_url, files)
    (width, height), (same_width, more) = size(tmp_path / "short.png"), size(tmp_path / "long.png")
    assert width == same_width <= 1120
    assert more > height + 20 * 40


def test_any_event_of_an_incident_has_the_incidents_picture(
    state: SandboxState, sender: httpx.Client, tmp_path: Path
) -> None:
    for action in ("trigger", "resolve"):
        event(sender, action)
    opened, resolved = read_messages(state.folder)
    files = {tmp_path / "opened.png": opened.id, tmp_path / "resolved.png": resolved.id}
    take_pictures(state.page_url, files)
    assert (tmp_path / "opened.png").read_bytes() == (tmp_path / "resolved.png").read_bytes()


def test_pictures_are_taken_of_what_was_asked_for(
    state: SandboxState,
    send: Callable[[str, str], None],
    sender: httpx.Client,
    tmp_path: Path,
) -> None:
    send("orders failed", "x")
    send("stock failed", "x")
    event(sender, "trigger")
    out = tmp_path / "out"
    assert pictures(state, out, "#alerts", "orders") == [out / "alerts-orders-failed.png"]
    everything = pictures(state, out, "", "failed")
    assert [file.name for file in everything] == [
        "alerts-orders-failed.png",
        "alerts-stock-failed.png",
        "pager-orders-failed.png",
    ]
    assert all(size(file) for file in everything)


def test_a_message_that_is_not_there_has_no_picture(state: SandboxState, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="no message was delivered to #alerts with 'x'"):
        pictures(state, tmp_path, "#alerts", "x")
    with pytest.raises(SandboxError, match="the page does not show the message nope"):
        take_pictures(state.page_url, {tmp_path / "x.png": "nope"})
