"""Whether a webhook answers, asked so that nobody gets a message."""

import logging
from dataclasses import dataclass
from enum import Enum, auto

import httpx
from pydantic import SecretStr

ANSWER_SECONDS = 15.0
# A message without text: Slack looks for the webhook before it looks into the message.
_NO_MESSAGE = {"text": ""}
_LIVE = {"no_text", "missing_text", "missing_text_or_fallback_or_attachments", "invalid_payload"}
_DEAD = {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE}
_LONGEST_CODE = 60
# It would write the URL of each request, which here is the secret, into the log of whoever logs.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Pulse(Enum):
    """Whether something lives."""

    LIVE = auto()
    DEAD = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Answer:
    """What was found, and that in words."""

    pulse: Pulse
    text: str


def ask(kind: str, value: SecretStr) -> Answer:
    """Ask the service of a channel's kind about its secret."""
    if kind == "pagerduty":
        return Answer(Pulse.UNKNOWN, "not provable without paging: use alertctl drill --page")
    return ask_slack(value)


def ask_slack(webhook: SecretStr) -> Answer:
    """Ask Slack for a webhook.

    A live one refuses a message without text with 400 and `no_text`. One that was revoked, or
    whose channel is archived, answers 403, 404 or 410 with the reason, such as `no_service`.
    """
    try:
        answer = httpx.post(webhook.get_secret_value(), json=_NO_MESSAGE, timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Only its kind: the URL is the secret.
        return Answer(Pulse.UNKNOWN, f"Slack cannot be reached from here ({type(error).__name__})")
    reason = answer.text.strip()
    if answer.is_success or (answer.status_code == httpx.codes.BAD_REQUEST and reason in _LIVE):
        return Answer(Pulse.LIVE, "the webhook answers")
    if answer.status_code in _DEAD:
        return Answer(Pulse.DEAD, f"the webhook is dead: Slack answers {_code(answer)}")
    return Answer(Pulse.UNKNOWN, f"Slack answers {_code(answer)}: try again later")


def _code(answer: httpx.Response) -> str:
    """Status and Slack's short code, but no page of a proxy in between."""
    reason = answer.text.strip()
    is_code = reason.isascii() and reason.replace("_", "").isalpha() and len(reason) < _LONGEST_CODE
    return f"{answer.status_code} {reason}" if is_code else str(answer.status_code)
