"""Renders templates with stand-ins for Prefect's objects, and with undefined names as errors."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerting.plan import Notification
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


@dataclass
class Rendered:
    """A message as it arrives, its labelled lines by label."""

    subject: str
    body: str
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for line in self.body.splitlines()[1:]:
            label, _, text = line.partition(": ")
            self.fields[label.strip("*")] = text


def render(notification: Notification, happened: Happened | Announced) -> Rendered:
    context = happened.context()
    return Rendered(
        template(notification.subject).render(context), template(notification.body).render(context)
    )


@cache
def template(text: str) -> Template:
    return STRICT.from_string(text)
