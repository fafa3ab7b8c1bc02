"""Slack's incoming webhooks: what they accept, what they answer, what is kept of it."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.payload import json_object
from sandbox.capture.redaction import redacted_payload

HOST = "hooks.slack.com"

_NAMED_COLORS = {"good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}
_HEX_COLOR = re.compile("#[0-9a-fA-F]{6}")
_DEFAULT_COLOR = "#a0a0a2"


class Attachment(BaseModel):
    """One attachment of a message; fields this project does not send are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    text: str = ""
    color: str = ""
    footer: str = ""

    @property
    def fill(self) -> str:
        """The colour of the bar beside the attachment, as #rrggbb."""
        named = _NAMED_COLORS.get(self.color, self.color)
        return named if _HEX_COLOR.fullmatch(named) else _DEFAULT_COLOR


class SlackMessage(BaseModel):
    """The body of a webhook request; fields this project does not send are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def title(self) -> str:
        """The first attachment's title."""
        return self.attachments[0].title if self.attachments else ""

    @property
    def full_text(self) -> str:
        """The message's own text and that of its attachments."""
        parts = (self.text, *(attachment.text for attachment in self.attachments))
        return "\n".join(part for part in parts if part)


def receive(folder: Path, path: str, body: bytes) -> tuple[CapturedMessage, Answer]:
    """Answer a POST to `path` of hooks.slack.com as Slack does, and keep what it said."""
    channel = channel_of(folder, f"https://{HOST}{path}")
    webhook_token = path.removeprefix("/services/").strip("/")
    posted = json_object(body)
    payload = redacted_payload(posted or {}, webhook_token)
    message = None if posted is None else _parse(payload)
    # In Slack's order: whoever asks about a dead webhook is not told of the message.
    if channel == UNKNOWN:
        answer = _plain(404, "no_service")
    elif message is None:
        answer = _plain(400, "invalid_payload")
    elif not (message.title or message.full_text):
        answer = _plain(400, "no_text")
    else:
        answer = _plain(200, "ok")
    captured = CapturedMessage(
        service=Service.SLACK,
        host=HOST,
        channel=channel,
        status_code=answer.status_code,
        answer=answer.body,
        title=message.title if message else "",
        text=message.full_text if message else "",
        payload=payload,
    )
    return captured, answer


def shown_message(captured: CapturedMessage) -> SlackMessage:
    """Return what Slack would show of a message it accepted."""
    return SlackMessage.model_validate(captured.payload)


def _parse(payload: Mapping[str, JsonValue]) -> SlackMessage | None:
    try:
        return SlackMessage.model_validate(payload)
    except ValidationError:
        return None


def _plain(status_code: int, body: str) -> Answer:
    return Answer(status_code, body, "text/plain; charset=utf-8")
