"""Slack's incoming webhooks: what they accept, what they answer, what is kept of it."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from sandbox.capture.answer import Answer
from sandbox.capture.block_kit import Blocks, Header
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.mentions import slack_mentions
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
    blocks: Blocks = ()

    @property
    def fill(self) -> str:
        """The colour of the bar beside the attachment, as #rrggbb."""
        named = _NAMED_COLORS.get(self.color, self.color)
        return named if _HEX_COLOR.fullmatch(named) else _DEFAULT_COLOR

    @property
    def texts(self) -> tuple[str, ...]:
        """Its text and that of its blocks."""
        return (self.text, *(text for block in self.blocks for text in block.texts))


class SlackMessage(BaseModel):
    """The body of a webhook request; fields this project does not send are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str = ""
    """What the message says, or the notification of it where there are blocks."""
    blocks: Blocks = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def title(self) -> str:
        """The first header, else the first attachment's title."""
        headers = [block.text.text for block in self._every_block if isinstance(block, Header)]
        titles = [attachment.title for attachment in self.attachments[:1]]
        return next(iter([*headers, *titles]), "")

    @property
    def full_text(self) -> str:
        """What can be read of the message besides its title."""
        own = (
            [text for block in self.blocks for text in block.texts] if self.blocks else [self.text]
        )
        attached = [text for each in self.attachments for text in each.texts]
        return "\n".join(text for text in (*own, *attached) if text)

    @property
    def _every_block(self) -> Blocks:
        return (*self.blocks, *(block for each in self.attachments for block in each.blocks))


def receive(folder: Path, path: str, body: bytes) -> tuple[CapturedMessage, Answer]:
    """Answer a POST to `path` of hooks.slack.com as Slack does, and keep what it said."""
    channel = channel_of(folder, f"https://{HOST}{path}")
    webhook_token = path.removeprefix("/services/").strip("/")
    posted = json_object(body)
    payload = redacted_payload(posted or {}, webhook_token)
    message, fault = _parse(payload) if posted is not None else (None, "invalid_payload")
    # In Slack's order: whoever asks about a dead webhook is not told of the message.
    if channel == UNKNOWN:
        answer = _plain(404, "no_service")
    elif fault:
        answer = _plain(400, fault)
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
        mentions=slack_mentions(payload),
    )
    return captured, answer


def shown_message(captured: CapturedMessage) -> SlackMessage:
    """Return what Slack would show of a message it accepted."""
    return SlackMessage.model_validate(captured.payload)


def _parse(payload: Mapping[str, JsonValue]) -> tuple[SlackMessage | None, str]:
    # The message, and what Slack would say against it.
    try:
        message = SlackMessage.model_validate(payload)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if any(fault["loc"][-1:] == ("blocks",) and "tuple" in fault["type"] for fault in faults):
            return None, "invalid_blocks_format"
        in_blocks = any("blocks" in fault["loc"] for fault in faults)
        return None, "invalid_blocks" if in_blocks else "invalid_payload"
    return message, "" if message.title or message.full_text or message.blocks else "no_text"


def _plain(status_code: int, body: str) -> Answer:
    return Answer(status_code, body, "text/plain; charset=utf-8")
