"""Microsoft Teams' workflow webhooks: what they accept, what they answer, what is kept of it."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.payload import json_object
from sandbox.capture.redaction import redacted_payload, secrets_of

DOMAINS = (".logic.azure.com", ".api.powerplatform.com")
LARGEST_MESSAGE_BYTES = 28 * 1024
"""What a channel shows; a workflow takes more, and its run fails later."""

_PATH = re.compile(
    r"(?:/powerautomate/automations/direct(?:/cu/\d+)?)?"
    r"/workflows/[\w-]+/triggers/manual/paths/invoke/?"
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(_Part):
    """A name and its value."""

    title: str
    value: str


class Element(_Part):
    """A piece of a card's body; one that is neither text nor facts shows nothing here."""

    type: str
    text: str = ""
    style: str = ""
    facts: tuple[Fact, ...] = ()

    @property
    def is_heading(self) -> bool:
        """Whether it is the card's title."""
        return self.style == "heading"


class CardAction(_Part):
    """A button; one without a web address shows nothing here."""

    type: str
    title: str = ""
    url: str = ""

    @property
    def leads_somewhere(self) -> bool:
        """Whether it opens a web page."""
        return self.type == "Action.OpenUrl" and self.url.startswith(("https://", "http://"))


class _Mention(_Part):
    type: str = ""
    text: str = ""


class _TeamsData(_Part):
    entities: tuple[_Mention, ...] = ()


class Card(_Part):
    """An adaptive card."""

    type: Literal["AdaptiveCard"]
    body: tuple[Element, ...]
    actions: tuple[CardAction, ...] = ()
    msteams: _TeamsData = _TeamsData()

    @property
    def title(self) -> str:
        """Its heading."""
        return next((element.text for element in self.body if element.is_heading), "")

    @property
    def texts(self) -> Iterator[str]:
        """What it says besides its heading."""
        for element in self.body:
            if not element.is_heading:
                yield element.text
            yield from (f"{fact.title}: {fact.value}" for fact in element.facts)


class _Attachment(_Part):
    content_type: Literal["application/vnd.microsoft.card.adaptive"] = Field(alias="contentType")
    content: Card


class TeamsMessage(_Part):
    """The body of a request; fields this project does not send are ignored."""

    type: Literal["message"]
    attachments: Annotated[tuple[_Attachment, ...], Field(min_length=1)]

    @property
    def cards(self) -> Sequence[Card]:
        """What a channel would show."""
        return [attachment.content for attachment in self.attachments]


def is_at(host: str, path: str) -> bool:
    """Whether a workflow's webhook may be there."""
    return host.endswith(DOMAINS) and bool(_PATH.fullmatch(path))


def receive(folder: Path, url: str, body: bytes) -> tuple[CapturedMessage, Answer]:
    """Answer a POST to `url` as a workflow does that posts to a channel, and keep what it said.

    A message that is too large for a channel is refused, for nobody would see it; the real
    workflow accepts it and fails afterwards.
    """
    channel = channel_of(folder, url)
    payload = redacted_payload(json_object(body) or {}, *secrets_of(url))
    try:
        message = TeamsMessage.model_validate(payload)
    except ValidationError:
        message = None
    if channel == UNKNOWN:
        answer = _refusal(401, "DirectApiAuthorizationRequired")
    elif message is None:
        answer = _refusal(400, "TriggerInputSchemaMismatch")
    elif len(body) > LARGEST_MESSAGE_BYTES:
        answer = _refusal(413, "RequestEntityTooLarge")
    else:
        answer = Answer(202, "", "application/json")
    cards = message.cards if message else []
    captured = CapturedMessage(
        service=Service.TEAMS,
        host=url.split("/")[2],
        channel=channel,
        status_code=answer.status_code,
        answer=json.loads(answer.body)["error"]["code"] if answer.body else "accepted",
        title=next((card.title for card in cards), ""),
        text="\n".join(text for card in cards for text in card.texts if text),
        payload=payload,
        mentions=tuple(
            entity.text
            for card in cards
            for entity in card.msteams.entities
            if entity.type == "mention"
        ),
    )
    return captured, answer


def shown_cards(captured: CapturedMessage) -> Sequence[Card]:
    """Return what Teams would show of a message it accepted."""
    return TeamsMessage.model_validate(captured.payload).cards


def _refusal(status_code: int, code: str) -> Answer:
    return Answer(status_code, json.dumps({"error": {"code": code}}), "application/json")
