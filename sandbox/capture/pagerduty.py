"""PagerDuty's Events API v2: what it accepts, what it answers, what is kept of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.payload import json_object
from sandbox.capture.redaction import redacted_payload

HOSTS = frozenset({"events.pagerduty.com", "events.eu.pagerduty.com"})
PATH = "/v2/enqueue"
ROUTING_KEY_LENGTH = 32
LARGEST_EVENT_BYTES = 512 * 1024

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_DedupKey = Annotated[str, StringConstraints(max_length=255)]


class Severity(StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class EventAction(StrEnum):
    """What an event does to its incident."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True)
class ShownEvent:
    """What PagerDuty would show of an event besides its summary."""

    severity: str
    origin: Sequence[str]
    """Source, component, group and class, as far as it names them."""
    client: tuple[str, str]
    """Address and name of what sent it; without an address it is no link."""
    links: Sequence[tuple[str, str]]
    """Address and text of its links and images."""
    details: Sequence[tuple[str, str]]
    """The custom details' names and values."""


class _Details(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    summary: Annotated[_Text, StringConstraints(max_length=1024)]
    source: _Text
    severity: Severity
    component: str | None = None
    group: str | None = None
    event_class: str | None = Field(None, alias="class")
    timestamp: AwareDatetime | None = None


class _Trigger(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    event_action: Literal[EventAction.TRIGGER]
    payload: _Details
    dedup_key: _DedupKey = ""
    client: str | None = None
    client_url: str | None = None


class _Update(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    event_action: Literal[EventAction.ACKNOWLEDGE, EventAction.RESOLVE]
    dedup_key: Annotated[_DedupKey, StringConstraints(min_length=1)]


_EVENT: TypeAdapter[_Trigger | _Update] = TypeAdapter(
    Annotated[_Trigger | _Update, Field(discriminator="event_action")]
)


def receive(folder: Path, host: str, body: bytes) -> tuple[CapturedMessage, Answer]:
    """Answer an event posted to `host` as PagerDuty does, and keep what it said."""
    posted = json_object(body) or {}
    routing_key = _text(posted.get("routing_key"))
    channel = channel_of(folder, routing_key)
    event = redacted_payload(posted, routing_key)
    details = _object(event.get("payload"))
    if len(body) > LARGEST_EVENT_BYTES:
        errors: Sequence[str] = ["Event exceeds the largest size of 512 KB"]
    else:
        errors = [*_routing_key_errors(routing_key, channel), *_event_errors(event)]
    dedup_key = _text(event.get("dedup_key"))
    if not errors and not dedup_key:
        dedup_key = uuid4().hex  # as PagerDuty does for a trigger without one
    answer = _refusal(errors) if errors else _acceptance(dedup_key)
    captured = CapturedMessage(
        service=Service.PAGERDUTY,
        host=host,
        channel=channel,
        status_code=answer.status_code,
        answer="; ".join(errors) or "Event processed",
        title=_text(details.get("summary")),
        text="\n".join(f"{name}: {value}" for name, value in _rows(details.get("custom_details"))),
        payload=event,
        severity=_text(details.get("severity")) or None,
        event_action=_text(event.get("event_action")) or None,
        dedup_key=dedup_key or None,
    )
    return captured, answer


def shown_event(captured: CapturedMessage) -> ShownEvent:
    """Return what PagerDuty would show of an event it accepted; empty what it does not have."""
    details = _object(captured.payload.get("payload"))
    severity = captured.severity or ""
    client_url = _text(captured.payload.get("client_url"))
    origin = (_text(details.get(name)) for name in ("source", "component", "group", "class"))
    return ShownEvent(
        severity=severity if severity in set(Severity) else "",
        origin=list(filter(None, origin)),
        client=(
            client_url if _is_web_address(client_url) else "",
            _text(captured.payload.get("client")) or client_url,
        ),
        links=[*_links(captured.payload.get("links")), *_images(captured.payload.get("images"))],
        details=_rows(details.get("custom_details")),
    )


def _links(links: JsonValue) -> Sequence[tuple[str, str]]:
    return [
        (href, _text(link.get("text")) or href)
        for link in map(_object, links if isinstance(links, list) else [])
        if _is_web_address(href := _text(link.get("href")))
    ]


def _images(images: JsonValue) -> Sequence[tuple[str, str]]:
    # As links: the page asks no other host for a picture.
    return [
        (href, _text(image.get("alt")) or source)
        for image in map(_object, images if isinstance(images, list) else [])
        if (source := _text(image.get("src")))
        and _is_web_address(href := _text(image.get("href")) or source)
    ]


def _is_web_address(text: str) -> bool:
    return text.startswith(("https://", "http://"))


def _rows(custom_details: JsonValue) -> Sequence[tuple[str, str]]:
    match custom_details:
        case None:
            return []
        case dict():
            return [(name, _shown(value)) for name, value in custom_details.items()]
        case _:
            return [("details", _shown(custom_details))]


def _routing_key_errors(routing_key: str, channel: str) -> Sequence[str]:
    if len(routing_key) != ROUTING_KEY_LENGTH:
        return [f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"]
    if channel == UNKNOWN:
        return ["'routing_key' belongs to no integration"]
    return []


def _event_errors(event: Mapping[str, JsonValue]) -> Sequence[str]:
    try:
        _EVENT.validate_python(event)
    except ValidationError as error:
        return [
            _sentence(fault["loc"], fault["type"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
    return []


def _sentence(location: tuple[int | str, ...], kind: str) -> str:
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return f"'event_action' should be one of {', '.join(EventAction)}"
    field = ".".join(map(str, location[1:]))  # the first is the action
    if kind in {"missing", "string_too_short"}:
        return f"'{field}' is missing or blank"
    if kind == "enum":
        return f"'{field}' should be one of {', '.join(Severity)}"
    return f"'{field}' is invalid"


def _refusal(errors: Sequence[str]) -> Answer:
    return _json(
        400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    )


def _acceptance(dedup_key: str) -> Answer:
    return _json(202, {"status": "success", "message": "Event processed", "dedup_key": dedup_key})


def _json(status_code: int, content: Mapping[str, object]) -> Answer:
    return Answer(status_code, json.dumps(content), "application/json")


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
