"""What a scenario says: what happens when, and who is to be told what."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from alerting.plan import Tier
from alerting.settings.durations import Duration, format_duration, parse_duration

_ZERO = re.compile(r"0+[dhms]", re.ASCII)


def parse_offset(value: object) -> timedelta:
    """Read a time since the start, which may be none.

    Raises:
        ValueError: when it is not written as a duration.
    """
    if isinstance(value, str) and _ZERO.fullmatch(value):
        return timedelta(0)
    try:
        return parse_duration(value)
    except ValueError:
        raise ValueError("expected a time since the start, such as 0m, 90s or 1h30m") from None


def format_offset(offset: timedelta) -> str:
    """Write a time since the start as `parse_offset` reads it."""
    return format_duration(offset) if offset else "0m"


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank. Expected a name")
    return value


def _at_least_one(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("is empty. Name at least one channel")
    return value


Offset = Annotated[timedelta, BeforeValidator(parse_offset)]
Name = Annotated[str, AfterValidator(_not_blank)]
Labels = Annotated[dict[str, str], Field(description="labels of the event's resource")]
Payload = Annotated[dict[str, Any], Field(description="what the event carries besides")]
StateType = Literal[
    "SCHEDULED",
    "PENDING",
    "RUNNING",
    "PAUSED",
    "CANCELLING",
    "CANCELLED",
    "COMPLETED",
    "FAILED",
    "CRASHED",
]


class ScenarioModel(BaseModel):
    """Frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(ScenarioModel):
    """Something that happens at a time."""

    at: Offset = Field(description="time since the start, such as 90s or 1h30m")


class RunStep(Step):
    """A flow run comes into a state."""

    flow: Name = Field(description="the flow's name")
    state: Name = Field(description="the state's name, such as Failed")
    type: StateType | None = Field(
        default=None, description="Prefect's type of a state with a name of its own, such as FAILED"
    )
    message: str | None = Field(default=None, description="the state's message")
    run: Name | None = Field(
        default=None, description="the run's name, to give one run several states"
    )
    parent: Name | None = Field(default=None, description="name of the run it is a subflow of")
    deployment: Name | None = Field(default=None, description="the deployment's name")
    tags: tuple[str, ...] | None = Field(
        default=None, description="the run's tags; by default the stack's"
    )
    labels: Labels = {}
    payload: Payload = {}


class EventStep(Step):
    """Any event, by its name."""

    event: Name = Field(description="the event's name")
    labels: Labels = {}
    payload: Payload = {}
    flow: Name | None = Field(default=None, description="name of a related flow")
    deployment: Name | None = Field(default=None, description="name of a related deployment")
    tags: tuple[str, ...] = Field(default=(), description="related tags")


class RestartStep(Step):
    """The server goes away for a while."""

    restart: Duration = Field(description="how long the server is away, such as 70s")


class SentinelStep(Step):
    """The sentinel is killed or started."""

    sentinel: Literal["down", "up"] = Field(description="down or up")


class SilenceStep(Step):
    """Somebody silences pipelines."""

    silence: Duration = Field(description="how long they are silenced, such as 2h")
    pipelines: tuple[Name, ...] = Field(default=(), description="which, by default all")
    reason: Name = Field(default="maintenance", description="why, as the summary says it")


class LoadStep(Step):
    """A flow tells how many rows it has loaded."""

    load: int = Field(strict=True, ge=0, description="the number of rows")
    flow: Name = Field(description="the flow's name")
    deployment: Name | None = Field(default=None, description="the deployment's name")


class UntilStep(Step):
    """Nothing happens: time goes on."""

    until: Literal[True] = Field(description="true, to let time pass until `at`")


class Expected(ScenarioModel):
    """One rule tells its channels."""

    at: Offset = Field(description="time since the start, such as 90s or 1h30m")
    tier: Tier = Field(description="which tier's rule it is")
    to: Annotated[tuple[str, ...], AfterValidator(_at_least_one)] = Field(
        description="every channel that the rule tells"
    )
    contains: tuple[str, ...] = Field(default=(), description="texts of the subject or the body")


class Heading(ScenarioModel):
    """What a scenario says of itself."""

    name: Name = Field(description="what the scenario shows, as a sentence")
    stack: Name | None = Field(default=None, description="the stack it is for")
    file: Name | None = Field(
        default=None, description="the stack file it is for, from the scenario's folder"
    )
    live: bool = Field(
        default=False, strict=True, description="whether it is also played on a live server"
    )


@dataclass(frozen=True)
class Scenario:
    """One scenario of a file."""

    path: Path
    line: int
    """Where it starts in the file."""
    heading: Heading
    timeline: tuple[Step, ...]
    expect: tuple[Expected, ...]
    lines: dict[tuple[str | int, ...], int] = field(repr=False)
    """Line of each part, such as ("expect", 0, "to")."""

    @property
    def name(self) -> str:
        """What the scenario shows."""
        return self.heading.name

    @property
    def is_watched(self) -> bool:
        """Whether it is about the sentinel being heard, and not only about what it says."""
        return any(isinstance(step, RestartStep | SentinelStep) for step in self.timeline) or any(
            expected.tier is Tier.ALERTING for expected in self.expect
        )
