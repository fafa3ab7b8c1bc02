"""Recurring maintenance windows: times in which pipelines are meant to be quiet."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from alerting.settings.cron import Cron, shortest_gap
from alerting.settings.durations import Duration, format_duration
from alerting.settings.names import PlainName, RunName
from alerting.settings.settings_model import SettingsModel
from alerting.settings.zones import TimeZone

LONGEST_SILENCE = timedelta(days=30)
"""Who is quiet for longer is forgotten, not maintained."""


def _at_least_one(pipelines: tuple[str, ...]) -> tuple[str, ...]:
    if not pipelines:
        raise ValueError("names no pipeline. Leave it out for all pipelines, or name one")
    return pipelines


class MaintenanceWindow(SettingsModel):
    """A time that comes again and again, and in which nobody is told of failures."""

    cron: Cron = Field(
        description="when it begins: minute, hour, day of month, month, day of week, such as "
        "`0 2 * * 0`; see docs/silences.md for days on which clocks change"
    )
    time_zone: TimeZone = Field(description="the zone of these times, such as Europe/London")
    duration: Duration = Field(description="how long it lasts, 30d at most")
    pipelines: Annotated[tuple[RunName, ...], AfterValidator(_at_least_one)] = Field(
        default=(), description="pipelines that are quiet; default: all"
    )
    reason: PlainName = Field(description="what it is for, as the summary after it says")

    @field_validator("duration")
    @classmethod
    def _ends(cls, duration: timedelta, info: ValidationInfo) -> timedelta:
        if duration > LONGEST_SILENCE:
            raise ValueError(f"expected at most {format_duration(LONGEST_SILENCE)}")
        cron = info.data.get("cron")  # absent when it is wrong itself
        gap = shortest_gap(cron) if cron else None
        if gap is not None and duration >= gap:
            raise ValueError(
                "lasts until the next window begins, so it would never end. Expected less than "
                f"{format_duration(gap)}, or a cron that comes less often"
            )
        return duration
