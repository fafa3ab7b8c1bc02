"""By kind of channel: does the vendor accept a secret, asked so that nobody gets a message?"""

import logging
from collections.abc import Callable
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
# Of the host that Prefect's block sends to. It answers with what the key itself may do.
_SCOPES = "https://api.sendgrid.com/v3/scopes"
_MAY_SEND = "mail.send"
# It would write the URL of each request, which here is the secret, into the log of whoever logs.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Pulse(Enum):
    """Whether something lives."""

    LIVE = auto()
    DEAD = auto()
    UNKNOWN = auto()
    """It was asked, and what came is no answer."""
    UNASKED = auto()
    """There is no question that sends nothing."""


@dataclass(frozen=True)
class Answer:
    """What was found, and that in words."""

    pulse: Pulse
    text: str


@dataclass(frozen=True)
class Vendor:
    """Who made the secrets of a kind of channel."""

    ask: Callable[[SecretStr], Answer]
    revocation: str
    """Where an old value is revoked."""


def ask(kind: str, value: SecretStr) -> Answer:
    """Ask the vendor of a channel's kind about its secret, which has the form that it should."""
    return VENDORS[kind].ask(value)


def _ask_slack(webhook: SecretStr) -> Answer:
    """Ask Slack for a webhook.

    A live one refuses a message without text with 400 and `no_text`. One that was revoked, or
    whose channel is archived, answers 403, 404 or 410 with the reason, such as `no_service`.
    """
    try:
        answer = httpx.post(webhook.get_secret_value(), json=_NO_MESSAGE, timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _unreachable("Slack", error)
    reason = answer.text.strip()
    if answer.is_success or (answer.status_code == httpx.codes.BAD_REQUEST and reason in _LIVE):
        return Answer(Pulse.LIVE, "the webhook answers")
    if answer.status_code in _DEAD:
        return Answer(Pulse.DEAD, f"the webhook is dead: Slack answers {_code(answer)}")
    return Answer(Pulse.UNKNOWN, f"Slack answers {_code(answer)}: try again later")


def _ask_sendgrid(key: SecretStr) -> Answer:
    """Ask SendGrid what a key may do. One that was deleted answers 401."""
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
    try:
        answer = httpx.get(_SCOPES, headers=headers, timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        return _unreachable("SendGrid", error)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return Answer(Pulse.DEAD, "the key is dead: SendGrid answers 401")
    scopes = _scopes(answer)
    if scopes is None:
        return Answer(Pulse.UNKNOWN, f"SendGrid answers {answer.status_code}: try again later")
    if _MAY_SEND not in scopes:
        return Answer(Pulse.DEAD, "the key may not send mail: give it Mail Send at SendGrid")
    return Answer(Pulse.LIVE, "SendGrid knows the key, which may send mail")


def _scopes(answer: httpx.Response) -> list[object] | None:
    """What a key may do; None where a proxy in between, or an error, answers instead."""
    try:
        document = answer.json() if answer.is_success else None
    except ValueError:
        return None
    scopes = document.get("scopes") if isinstance(document, dict) else None
    return scopes if isinstance(scopes, list) else None


def _unasked(why: str) -> Callable[[SecretStr], Answer]:
    return lambda _: Answer(Pulse.UNASKED, why)


def _unreachable(vendor: str, error: Exception) -> Answer:
    # Only its kind: the URL may be the secret.
    text = f"{vendor} cannot be reached from here ({type(error).__name__})"
    return Answer(Pulse.UNKNOWN, text)


def _code(answer: httpx.Response) -> str:
    """Status and Slack's short code, but no page of a proxy in between."""
    reason = answer.text.strip()
    is_code = reason.isascii() and reason.replace("_", "").isalpha() and len(reason) < _LONGEST_CODE
    return f"{answer.status_code} {reason}" if is_code else str(answer.status_code)


VENDORS = {
    "slack": Vendor(
        _ask_slack, "api.slack.com/apps, the app, Incoming Webhooks, remove the old URL"
    ),
    "pagerduty": Vendor(
        _unasked("not provable without paging: use alertctl drill --page"),
        "PagerDuty, the service, Integrations, delete the old one",
    ),
    "teams": Vendor(
        _unasked(
            "its form is right, and it was not asked: a Teams webhook cannot be tried without "
            "posting. `alertctl drill` tries it"
        ),
        "Teams, the channel, Workflows, delete the old workflow",
    ),
    "email": Vendor(_ask_sendgrid, "SendGrid, Settings, API Keys, delete the old one"),
    "webhook": Vendor(
        _unasked(
            "its form is right, and it was not asked: any request to the URL may be taken for a "
            "message. `alertctl drill` tries it"
        ),
        "whoever gave the URL makes the old one invalid",
    ),
}
"""By kind of channel."""
