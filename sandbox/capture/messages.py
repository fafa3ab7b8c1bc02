"""What was captured, one JSON line a message in `messages.jsonl`."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue


class Service(StrEnum):
    """Who a request was meant for."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    TEAMS = "teams"
    EMAIL = "email"
    WEBHOOK = "webhook"
    """Any other webhook."""
    REFUSED = "refused"
    """Anybody else: a sandbox must contact nobody."""


class CapturedMessage(BaseModel):
    """One request and how it was answered, without its secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: uuid4().hex)
    received_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    service: Service
    host: str
    channel: str
    """The name the webhook or key is registered under, or `unknown`."""
    status_code: int
    answer: str
    """What the sender was told, such as `ok` or the reason for a refusal."""
    title: str
    """Slack: the header or the first attachment's title. PagerDuty: the summary. Teams: the
    card's heading. Email: the subject. Others: `title`, `subject` or `summary` of the body."""
    text: str
    """Slack: the mrkdwn text. PagerDuty: the custom details, one a line. Teams: the card's other
    text. Email: its text or HTML. Others: `text`, `body` or `message`, or all that is no object."""
    payload: dict[str, JsonValue]
    """The whole JSON body without keys and webhook URLs; empty if it was not an object."""
    mentions: tuple[str, ...] = ()
    """Who it would ring for by name, as `<!channel>` or `<@U123>` in Slack, `<at>` in Teams."""
    severity: str | None = None
    """PagerDuty only, like the two below."""
    event_action: str | None = None
    dedup_key: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the real service would have shown the message to anybody."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the success class of HTTP


class MessageLog:
    """The messages of one capture, in memory and in its folder's file."""

    def __init__(self, folder: Path) -> None:
        self._file = _message_file(folder)
        self._messages = read_messages(folder)

    def append(self, message: CapturedMessage) -> None:
        """Add a message; it is in the file when this returns."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(message.model_dump_json() + "\n")
        self._messages.append(message)

    def messages(self) -> list[CapturedMessage]:
        """Return every message, the oldest first."""
        return list(self._messages)


def read_messages(folder: Path) -> list[CapturedMessage]:
    """Read what the capture of the sandbox in `folder` has received, the oldest first."""
    try:
        written = _message_file(folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    # Not splitlines(): a message may hold U+2028, which JSON need not escape. What follows the
    # last newline is a line still being written.
    return [CapturedMessage.model_validate_json(line) for line in written.split("\n")[:-1]]


def _message_file(folder: Path) -> Path:
    return folder / "messages.jsonl"
