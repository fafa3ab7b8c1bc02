"""Renders templates with stand-ins for Prefect's objects, and with undefined names as errors.

What arrives is read as its reader would: JSON is parsed, and each form's labelled lines are found.
"""

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerting.plan import Notification
from alerting.plan.forms import Form
from alerting.sentinel.events import Event

STRICT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
RUN_ID = "5e1f0000-0000-4000-8000-000000000001"
# Each broke, or could break, a template that quotes it carelessly.
HOSTILE = [
    "it's",
    'say "load"',
    "back\\slash\\n \\' \\",
    "{{ flow_run.id }}",
    "{% raw %}{{ 7 * 7 }}{% endraw %}",
    "{% endraw %}{{ 7 * 7 }}",
    "{# gone #}",
    "-%} {%- set owner = 'x' -%}",
    "100% of }} it",
    "a]b[c",
    "\U0001f9a0 microbes \U0001f469\u200d\U0001f4bb",
    "naïve — ünïcode \u2028 line",
    "<!channel> <http://x|y> & co",
    "${HOME} $(id) `id`",
]


@dataclass(frozen=True)
class Happened:
    """What a template is rendered with: stand-ins for Prefect's objects."""

    flow: str = "orders"
    deployment: str | None = None
    error: str | None = "the warehouse is asleep"
    work_pool: str = "default-pool"

    def context(self) -> dict[str, Any]:
        deployment = SimpleNamespace(name=self.deployment) if self.deployment else None
        state = SimpleNamespace(name="TimedOut", message=self.error)
        return {
            "event": SimpleNamespace(occurred=datetime(2026, 3, 1, 6, 30, 5, tzinfo=UTC)),
            "flow": SimpleNamespace(name=self.flow),
            "deployment": deployment,
            "flow_run": SimpleNamespace(
                id=RUN_ID,
                name="brave-otter",
                state=state,
                expected_start_time=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
            ),
            "work_pool": SimpleNamespace(name=self.work_pool),
        }


@dataclass(frozen=True)
class Announced:
    """The same for an event of the sentinel's, which brings all that is said."""

    event: Event

    def context(self) -> dict[str, Any]:
        return {"event": SimpleNamespace(payload=self.event["payload"])}


FORMS = {"rich": Form.RICH, "on-call": Form.INCIDENT, "mail": Form.HTML, "hook": Form.JSON}
"""The forms of the example's channels that do not take lines of text, by channel."""


@dataclass(frozen=True)
class Rendered:
    """A message as it arrives."""

    subject: str
    body: str
    form: Form = Form.SLACK

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        """What its JSON says, as the block puts it together."""
        return json.loads(f"{{{self.body}}}" if self.form is Form.INCIDENT else self.body)

    @property
    def fields(self) -> dict[str, str]:
        """Its labelled lines by label, as they are read."""
        match self.form:
            case Form.INCIDENT:
                details: dict[str, str] = self.document["payload"]["custom_details"]
                return {label: text for label, text in details.items() if label != "What"}
            case Form.JSON:
                lines: dict[str, str] = self.document["fields"]
                return lines
            case Form.RICH:
                return dict(_rich_lines(self.document["blocks"]))
            case Form.HTML:
                rows = [line.partition("</b>: ") for line in self.body.split("<br>\n")[1:]]
                return {head.removeprefix("<b>"): html.unescape(text) for head, _, text in rows}
        rows = [line.partition(": ") for line in self.body.splitlines()[1:]]
        return {label.strip("*"): text for label, _, text in rows}

    @property
    def sentence(self) -> str:
        """What it says before its lines, as it is read."""
        match self.form:
            case Form.INCIDENT:
                return str(self.document["payload"]["custom_details"]["What"])
            case Form.JSON:
                return str(self.document["text"])
            case Form.RICH:
                return html.unescape(self.document["blocks"][1]["text"]["text"])
            case Form.HTML:
                return html.unescape(self.body.split("<br>\n")[0])
        return self.body.split("\n")[0]

    @property
    def texts(self) -> list[str]:
        """Every text that it consists of."""
        is_json = self.form in {Form.INCIDENT, Form.JSON, Form.RICH}
        return [self.subject, *(_strings(self.document) if is_json else [self.body])]


def render(notification: Notification, happened: Happened | Announced) -> Rendered:
    context = happened.context()
    return Rendered(
        template(notification.subject).render(context),
        template(notification.body).render(context),
        FORMS.get(notification.channel, Form.SLACK),
    )


@cache
def template(text: str) -> Template:
    return STRICT.from_string(text)


def _rich_lines(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The labelled lines of Slack's Block Kit: its fields, the error, and the buttons' links."""
    for block in blocks[2:]:
        if block["type"] == "actions":
            yield from ((each["text"]["text"], each["url"]) for each in block["elements"])
        elif "fields" in block:
            rows = [each["text"].partition("\n") for each in block["fields"]]
            yield from ((head.strip("*"), html.unescape(text)) for head, _, text in rows)
        else:
            yield "Error", html.unescape(block["text"]["text"].removeprefix("```")[:-3])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def assert_complete(text: str) -> None:
    """Nothing was left out of a text, and no template is left in it."""
    assert text
    assert "None" not in text
    assert "{" not in text
    assert "}" not in text
    assert not any(line.endswith((": ", ":")) for line in text.splitlines())
