import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from sandbox.capture import pagerduty
from sandbox.capture.answer import Answer
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import CapturedMessage, Service

pytestmark = pytest.mark.tools

KEY = "fake" * 8
DETAILS: dict[str, JsonValue] = {"summary": "orders failed", "source": "p", "severity": "critical"}
TRIGGER: dict[str, JsonValue] = {"event_action": "trigger", "payload": DETAILS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register_channels(tmp_path, {KEY: "data platform"})
    return tmp_path


def receive(folder: Path, event: dict[str, JsonValue]) -> tuple[CapturedMessage, Answer]:
    body = json.dumps({"routing_key": KEY, **event}).encode()
    return pagerduty.receive(folder, "events.pagerduty.com", body)


def errors(answer: Answer) -> list[str]:
    content = json.loads(answer.body)
    assert answer.status_code == 400
    assert content["status"] == "invalid event"
    assert content["message"] == "Event object is invalid"
    listed: list[str] = content["errors"]
    return listed


def test_a_trigger_is_processed_and_recorded_under_its_channel(folder: Path) -> None:
    details: dict[str, JsonValue] = {**DETAILS, "custom_details": {"flow": "orders", "failures": 3}}
    event: dict[str, JsonValue] = {**TRIGGER, "payload": details, "dedup_key": "orders"}
    message, answer = receive(folder, event)
    assert answer.status_code == 202
    assert json.loads(answer.body) == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "orders",
    }
    assert message.service is Service.PAGERDUTY
    assert (message.channel, message.host) == ("data platform", "events.pagerduty.com")
    assert (message.title, message.text) == ("orders failed", "flow: orders\nfailures: 3")
    assert message.severity == "critical"
    assert (message.event_action, message.dedup_key) == ("trigger", "orders")
    assert message.payload == event


def test_a_trigger_without_a_dedup_key_is_given_one(folder: Path) -> None:
    message, answer = receive(folder, TRIGGER)
    assert message.dedup_key
    assert json.loads(answer.body)["dedup_key"] == message.dedup_key


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_update_needs_only_a_dedup_key(folder: Path, action: str) -> None:
    message, answer = receive(folder, {"event_action": action, "dedup_key": "orders"})
    assert answer.status_code == 202
    assert (message.event_action, message.dedup_key) == (action, "orders")


def test_an_update_without_a_dedup_key_is_invalid(folder: Path) -> None:
    message, answer = receive(folder, {"event_action": "resolve"})
    assert errors(answer) == ["'dedup_key' is missing or blank"]
    assert message.dedup_key is None


@pytest.mark.parametrize("action", ["close", "", None, 5])
def test_an_unknown_action_is_invalid(folder: Path, action: JsonValue) -> None:
    _, answer = receive(folder, {**TRIGGER, "event_action": action})
    assert errors(answer) == ["'event_action' should be one of trigger, acknowledge, resolve"]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("summary", None, "'payload.summary' is invalid"),
        ("summary", " ", "'payload.summary' is missing or blank"),
        ("summary", "x" * 1025, "'payload.summary' is invalid"),
        ("source", "", "'payload.source' is missing or blank"),
        ("severity", "bad", "'payload.severity' should be one of critical, error, warning, info"),
    ],
)
def test_a_trigger_with_a_wrong_field_is_invalid(
    folder: Path, field: str, value: JsonValue, error: str
) -> None:
    message, answer = receive(folder, {**TRIGGER, "payload": {**DETAILS, field: value}})
    assert errors(answer) == [error]
    assert message.answer == error


def test_every_missing_field_is_named(folder: Path) -> None:
    _, answer = receive(folder, {"event_action": "trigger", "payload": {}})
    assert errors(answer) == [
        f"'payload.{field}' is missing or blank" for field in ("summary", "source", "severity")
    ]


def test_a_routing_key_of_another_length_is_invalid(folder: Path) -> None:
    _, answer = receive(folder, {**TRIGGER, "routing_key": "fake"})
    assert errors(answer) == ["Length of 'routing_key' is incorrect (should be 32 characters)"]


def test_an_unknown_routing_key_is_invalid(folder: Path) -> None:
    message, answer = receive(folder, {**TRIGGER, "routing_key": "nope" * 8})
    assert errors(answer) == ["'routing_key' belongs to no integration"]
    assert message.channel == "unknown"


@pytest.mark.parametrize("body", [b"", b"[]", b"nope", b'{"payload": "x"}', b'{"routing_key": []}'])
def test_a_body_that_is_no_event_is_invalid(folder: Path, body: bytes) -> None:
    _, answer = pagerduty.receive(folder, "events.pagerduty.com", body)
    assert answer.status_code == 400


def test_the_routing_key_is_nowhere_in_the_record(folder: Path) -> None:
    details: dict[str, JsonValue] = {**DETAILS, "custom_details": {"a": [KEY], KEY: f"x{KEY}x"}}
    message, answer = receive(folder, {**TRIGGER, "payload": details, "dedup_key": KEY})
    assert KEY not in message.model_dump_json()
    assert KEY not in answer.body


def test_an_unknown_routing_key_is_nowhere_in_the_record(folder: Path) -> None:
    message, answer = receive(
        folder, {**TRIGGER, "routing_key": "nope" * 8, "dedup_key": "nope" * 8}
    )
    assert "nope" * 8 not in message.model_dump_json() + answer.body


def test_only_web_links_are_shown(folder: Path) -> None:
    links: JsonValue = [
        {"href": "https://example.org/runbook", "text": "Runbook"},
        {"href": "https://example.org/x"},
        {"href": "javascript:alert(1)", "text": "no"},
        "no",
    ]
    message, _ = receive(folder, {**TRIGGER, "links": links})
    assert pagerduty.shown_event(message).links == [
        ("https://example.org/runbook", "Runbook"),
        ("https://example.org/x", "https://example.org/x"),
    ]


def test_details_that_are_no_table_are_shown_as_they_are(folder: Path) -> None:
    message, _ = receive(folder, {**TRIGGER, "payload": {**DETAILS, "custom_details": [1, "ä"]}})
    assert pagerduty.shown_event(message).details == [("details", '[1, "ä"]')]


def test_an_update_with_a_strange_payload_is_shown_without_it(folder: Path) -> None:
    message, _ = receive(
        folder, {"event_action": "resolve", "dedup_key": "orders", "payload": ["x"], "links": 5}
    )
    event = pagerduty.shown_event(message)
    assert (event.severity, event.origin, event.links, event.details) == ("", [], [], [])


def test_an_event_may_be_512_kb_and_no_more(folder: Path) -> None:
    def padded(size: int) -> bytes:
        event = {**TRIGGER, "routing_key": KEY, "padding": ""}
        return json.dumps({**event, "padding": "x" * (size - len(json.dumps(event)))}).encode()

    _, largest = pagerduty.receive(folder, "events.pagerduty.com", padded(512 * 1024))
    _, larger = pagerduty.receive(folder, "events.pagerduty.com", padded(512 * 1024 + 1))
    assert largest.status_code == 202
    assert errors(larger) == ["Event exceeds the largest size of 512 KB"]


@pytest.mark.parametrize("field", ["component", "group", "class", "timestamp"])
def test_a_field_of_another_type_is_invalid(folder: Path, field: str) -> None:
    _, answer = receive(folder, {**TRIGGER, "payload": {**DETAILS, field: ["x"]}})
    assert errors(answer) == [f"'payload.{field}' is invalid"]


def test_an_event_says_where_it_came_from_and_who_sent_it(folder: Path) -> None:
    details: dict[str, JsonValue] = {
        **DETAILS,
        "component": "orders",
        "group": "sales",
        "class": "failure",
    }
    client: dict[str, JsonValue] = {"client": "alerts", "client_url": "https://example.org/x"}
    message, answer = receive(folder, {**TRIGGER, "payload": details, **client})
    event = pagerduty.shown_event(message)
    assert answer.status_code == 202
    assert event.origin == ["p", "orders", "sales", "failure"]
    assert event.client == ("https://example.org/x", "alerts")


def test_a_client_without_a_web_address_is_no_link(folder: Path) -> None:
    message, _ = receive(folder, {**TRIGGER, "client": "x", "client_url": "javascript:alert(1)"})
    assert pagerduty.shown_event(message).client == ("", "x")


def test_images_are_shown_as_links(folder: Path) -> None:
    images: JsonValue = [
        {"src": "https://example.org/a.png", "href": "https://example.org/a", "alt": "a chart"},
        {"src": "https://example.org/b.png"},
        {"src": "data:image/png;base64,x"},
        {"alt": "nothing"},
    ]
    message, _ = receive(folder, {**TRIGGER, "images": images})
    assert pagerduty.shown_event(message).links == [
        ("https://example.org/a", "a chart"),
        ("https://example.org/b.png", "https://example.org/b.png"),
    ]
