"""Webhooks of nobody in particular: any URL below example.com, which belongs to nobody."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import JsonValue

from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN, channel_of
from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.payload import json_object
from sandbox.capture.redaction import redacted_payload, redacted_text, secrets_of

DOMAIN = ".example.com"

_METHODS = frozenset({"POST", "PUT", "PATCH"})
_TITLES = ("title", "subject", "summary")
_TEXTS = ("text", "body", "message")


def takes(method: str, host: str) -> bool:
    """Whether such a request may be for a webhook."""
    return method in _METHODS and host.endswith(DOMAIN)


def receive(
    folder: Path, url: str, authorization: str, body: bytes
) -> tuple[CapturedMessage, Answer]:
    """Take what was sent to `url` if it is registered, whatever it is, and keep what it said.

    `authorization` is the header, of which nothing is kept.
    """
    channel = channel_of(folder, url)
    known = channel != UNKNOWN
    secrets = (*secrets_of(url), authorization.rpartition(" ")[2])
    posted = json_object(body)
    payload = redacted_payload(posted or {}, *secrets)
    text = redacted_text(body.decode(errors="replace"), *secrets)
    answer = Answer(*((200, "ok") if known else (404, "not found")), "text/plain; charset=utf-8")
    captured = CapturedMessage(
        service=Service.WEBHOOK,
        host=urlsplit(url).netloc,
        channel=channel,
        status_code=answer.status_code,
        answer=answer.body,
        title=_first_text(payload, _TITLES),
        text=text if posted is None else _first_text(payload, _TEXTS),
        payload=payload,
    )
    return captured, answer


def _first_text(payload: dict[str, JsonValue], names: tuple[str, ...]) -> str:
    values = (payload.get(name) for name in names)
    return next((value for value in values if isinstance(value, str)), "")
