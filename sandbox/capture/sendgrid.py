"""SendGrid's mail API: what it accepts, what it answers, what is kept of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.payload import json_object
from sandbox.capture.redaction import redacted_payload

HOST = "api.sendgrid.com"
PATH = "/v3/mail/send"

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Person(_Part):
    email: _EmailAddress


class _Personalization(_Part):
    to: Annotated[tuple[_Person, ...], Field(min_length=1)]


class _Content(_Part):
    type: _Text
    value: Annotated[str, StringConstraints(min_length=1)]


class Mail(_Part):
    """A mail; fields this project does not send are ignored."""

    personalizations: Annotated[tuple[_Personalization, ...], Field(min_length=1, max_length=1000)]
    sender: _Person = Field(alias="from")
    subject: _Text
    content: Annotated[tuple[_Content, ...], Field(min_length=1)]

    @property
    def recipients(self) -> Sequence[str]:
        """Who gets it, in the order of the request."""
        return [person.email for each in self.personalizations for person in each.to]

    @property
    def is_html(self) -> bool:
        """Whether a mail program reads its text as HTML."""
        return self.content[0].type == "text/html"

    @property
    def text(self) -> str:
        """Its text or HTML, as sent."""
        return self.content[0].value


def address(api_key: str, recipient: str) -> str:
    """Return what tells apart the channels that share an API key, for `register_channels`.

    Prefect's block sends each recipient a mail of its own.
    """
    return f"{api_key} to {recipient}"


def receive(folder: Path, authorization: str, body: bytes) -> tuple[CapturedMessage, Answer]:
    """Answer a mail as SendGrid does, and keep what it said.

    `authorization` is the header: it holds the API key.
    """
    api_key = authorization.removeprefix("Bearer ").strip()
    payload = redacted_payload(json_object(body) or {}, api_key)
    mail, errors = _parse(payload)
    channel = _channel(folder, api_key, mail)
    if channel == UNKNOWN:
        errors = [("The provided authorization grant is invalid, expired, or revoked", None)]
        answer = _refusal(401, errors)
    elif errors:
        answer = _refusal(400, errors)
    else:
        answer = Answer(202, "", "text/plain; charset=utf-8")
    captured = CapturedMessage(
        service=Service.EMAIL,
        host=HOST,
        channel=channel,
        status_code=answer.status_code,
        answer="; ".join(message for message, _ in errors) or "accepted",
        title=mail.subject if mail else "",
        text=mail.text if mail else "",
        payload=payload,
    )
    return captured, answer


def shown_mail(captured: CapturedMessage) -> Mail:
    """Return the mail of a message SendGrid accepted."""
    return Mail.model_validate(captured.payload)


def _channel(folder: Path, api_key: str, mail: Mail | None) -> str:
    if not api_key:
        return UNKNOWN
    own = channel_of(folder, address(api_key, mail.recipients[0])) if mail else UNKNOWN
    return channel_of(folder, api_key) if own == UNKNOWN else own


def _parse(
    payload: Mapping[str, JsonValue],
) -> tuple[Mail | None, Sequence[tuple[str, str | None]]]:
    # The mail, and what SendGrid would say against which field.
    try:
        return Mail.model_validate(payload), []
    except ValidationError as error:
        # A list whose items are wrong is called too short as well.
        places = {fault["loc"][0]: fault["loc"] for fault in reversed(error.errors())}
        fields = [".".join(map(str, place)) for place in places.values()]
        return None, [(f"The {field} field is missing or not valid.", field) for field in fields]


def _refusal(status_code: int, errors: Sequence[tuple[str, str | None]]) -> Answer:
    listed = [{"message": message, "field": field, "help": None} for message, field in errors]
    return Answer(status_code, json.dumps({"errors": listed}), "application/json")
