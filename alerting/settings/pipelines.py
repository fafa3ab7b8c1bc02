"""Pipelines that somebody owns, and what is expected of them."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from alerting.settings.deadlines import Deadline
from alerting.settings.durations import Duration
from alerting.settings.names import PlainName, RunName
from alerting.settings.settings_model import SettingsModel
from alerting.settings.urls import HttpUrl

_PERCENT = re.compile(r"([1-9]\d?)%", re.ASCII)


def _read_percent(value: object) -> object:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a share such as 50%, from 1% to 99%")
    return int(match[1])


class RowRules(SettingsModel):
    """How many rows a load should bring; flows tell it with `alerting.hooks.report_load`."""

    min: int | None = Field(
        default=None, strict=True, ge=1, description="fewer rows than this are an anomaly"
    )
    drop_below: Annotated[int, BeforeValidator(_read_percent)] | None = Field(
        default=None,
        description="share of the recent median, such as 50%, below which a load is an anomaly",
    )


class PipelineSettings(SettingsModel):
    """A pipeline that somebody owns. Flows with the tag that are not listed alert as well."""

    owner: PlainName = Field(description="team that answers for it")
    runbook: HttpUrl | None = Field(default=None, description="what to do when it fails")
    every: Duration | None = Field(default=None, description="how often it runs")
    flow: RunName | None = Field(default=None, description="the flow's name; default: the key")
    deployment: RunName | None = Field(
        default=None, description="the deployment's name; default: any, and none"
    )
    fresh_within: Duration | None = Field(
        default=None, description="time without a success after which its data is stale"
    )
    deadline: Deadline | None = Field(
        default=None,
        description='hour by which it must have succeeded since the last one, such as "06:00 '
        'Europe/London" or "06:00 Europe/London Mon-Fri"',
    )
    max_duration: Duration | None = Field(
        default=None, description="time after which a run that has not ended is told of"
    )
    rows: RowRules | None = Field(default=None, description="how many rows a load should bring")
    escalate: bool = Field(default=False, strict=True, description="whether it wakes people")
    announce_success: bool = Field(
        default=False, strict=True, description="whether hooks announce its completions"
    )


def longest_interval(pipelines: dict[str, PipelineSettings], unstated: timedelta) -> timedelta:
    """Longest interval between runs, `unstated` for a pipeline that does not say."""
    return max((p.every or unstated for p in pipelines.values()), default=unstated)
