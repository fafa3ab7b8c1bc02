"""Prefect's events as history, and verdicts as Prefect's events. Pure: no I/O, no clock.

Events are mappings as the API's JSON has them, in the stream as in its answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.published import PublishedPipeline, PublishedSettings
from alerting.plan.verdicts import (
    EVENT_PREFIX,
    HEARTBEAT_EVENT,
    PAUSED,
    RESUMED,
    SCOPE_LABEL,
    SETTINGS_LABEL,
    STANDBY_LABEL,
    STEP_LABEL,
    VerdictKind,
    sentinel_resource,
)
from alerting.redaction import redact
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key, pipeline_key_of, rules_of
from alerting.sentinel.verdicts import Verdict

Event = Mapping[str, Any]

FLOW_RUN_PREFIX = "prefect.flow-run."
OUTCOMES = {"COMPLETED": False, "FAILED": True, "CRASHED": True}
"""Whether a run failed, by the type of its terminal state. A cancelled run counts for nothing."""

STATE_TYPE_LABEL = "prefect.state-type"
ERROR_LENGTH = 400
_LISTED = 10
_SCANNED = 20_000
"""Characters of an error that are looked at: the rest is cut before it costs time."""


def ended_run(event: Event, tag: str) -> Ended | None:
    """The end that a flow run's event tells of; None when it is another event, or has no tag."""
    labels = event["resource"]
    resource_id = labels["prefect.resource.id"]
    failed = OUTCOMES.get(labels.get(STATE_TYPE_LABEL, ""))
    if failed is None or not resource_id.startswith(FLOW_RUN_PREFIX):
        return None
    related = event.get("related", ())
    if not any(each["prefect.resource.id"] == f"prefect.tag.{tag}" for each in related):
        return None
    return Ended(
        at=datetime.fromisoformat(labels.get("prefect.state-timestamp") or event["occurred"]),
        state_id=UUID(str(event["id"])),
        run_id=UUID(resource_id.removeprefix(FLOW_RUN_PREFIX)),
        run=labels.get("prefect.resource.name", ""),
        flow=_name_in_role(related, "flow") or "",
        failed=failed,
        deployment=_name_in_role(related, "deployment"),
        state=labels.get("prefect.state-name", ""),
        message=labels.get("prefect.state-message") or "",
    )


def parent_task_run(event: Event) -> UUID | None:
    """The task run that a subflow's run stands for in its parent; None for other runs."""
    for each in event.get("related", ()):
        if each["prefect.resource.role"] == "task-run":
            return UUID(each["prefect.resource.id"].removeprefix("prefect.task-run."))
    return None


def announcement(verdict: Verdict, settings: PublishedSettings, now: datetime) -> Event:
    """The event that announces a verdict. Its id is the verdict's, so that it counts once.

    It occurs when it is announced: Prefect takes old events for a clock that is behind.
    """
    ended = verdict.ended
    pipeline = settings.pipeline_of(ended.flow, ended.deployment)
    key = pipeline_key(ended, pipeline)
    scope = rules_of(settings).scope
    about = "all" if verdict.kind in (VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN) else key
    labels = {
        "prefect.resource.id": f"{EVENT_PREFIX}pipeline.{scope}.{about}",
        "prefect.resource.name": about,
        SCOPE_LABEL: scope,
    }
    if verdict.step is not None:
        labels[STEP_LABEL] = verdict.step
    return {
        "id": str(verdict.id),
        "occurred": now.isoformat(),
        "event": verdict.kind.event,
        "resource": labels,
        "related": [
            {
                "prefect.resource.id": f"{FLOW_RUN_PREFIX}{ended.run_id}",
                "prefect.resource.role": "flow-run",
                "prefect.resource.name": ended.run,
            }
        ],
        "payload": dict(_payload(verdict, pipeline, settings)),
    }


def announced_run(event: Event) -> Ended:
    """The end that an announced verdict is about."""
    payload = event["payload"]
    return Ended(
        at=datetime.fromisoformat(payload["at"]),
        state_id=UUID(payload["state_id"]),
        run_id=UUID(payload["run_id"]),
        run=payload["run"],
        flow=payload["flow"],
        failed=payload["failed"],
        deployment=payload["deployment"],
        state=payload["state"],
        message=payload["error"],
    )


def heartbeat(
    settings: PublishedSettings,
    event_id: UUID,
    now: datetime,
    *,
    standby: bool,
    judged_until: datetime | None = None,
) -> Event:
    """The sentinel's sign of life; `standby` says whether the standby automations are resumed.

    `judged_until` is the time up to which all was judged and announced, now unless it is catching
    up: the next sentinel takes up from there.
    """
    rules = rules_of(settings)
    return {
        "id": str(event_id),
        "occurred": now.isoformat(),
        "event": HEARTBEAT_EVENT,
        "resource": {
            "prefect.resource.id": sentinel_resource(rules.scope),
            "prefect.resource.name": rules.name,
            SCOPE_LABEL: rules.scope,
            STANDBY_LABEL: RESUMED if standby else PAUSED,
            SETTINGS_LABEL: settings.digest,
        },
        "related": [],
        "payload": {"judged_until": (judged_until or now).isoformat()},
    }


def readable(time: datetime) -> str:
    """A time as messages say it."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _payload(
    verdict: Verdict, pipeline: PublishedPipeline | None, settings: PublishedSettings
) -> Iterator[tuple[str, object]]:
    ended, outage = verdict.ended, verdict.outage
    yield "pipeline", pipeline.name if pipeline else ended.flow
    yield "flow", ended.flow
    yield "deployment", ended.deployment
    yield "run", ended.run
    yield "run_id", str(ended.run_id)
    yield "state_id", str(ended.state_id)
    yield "state", ended.state
    yield "failed", ended.failed
    yield "at", ended.at.isoformat()
    yield "time", readable(ended.at)
    yield "error", shortened(ended.message)
    yield "owner", pipeline.owner if pipeline else settings.default_owner
    yield "runbook", pipeline.runbook if pipeline else None
    if outage:
        yield "failures", outage.failures
        yield "first", readable(outage.first.at)
    if verdict.pipelines:
        names = {pipeline_key_of(p): p.name for p in settings.pipelines}
        down = sorted(names.get(key, key) for key in verdict.pipelines)
        more = f" and {len(down) - _LISTED} more" if len(down) > _LISTED else ""
        yield "count", len(down)
        yield "pipelines", ", ".join(down[:_LISTED]) + more


def shortened(error: str) -> str:
    """An error without what looks like a secret, short enough to be read on a telephone."""
    text = redact(error[:_SCANNED]).strip() or "none given"
    return text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 3] + "..."


def _name_in_role(related: Sequence[Mapping[str, str]], role: str) -> str | None:
    for each in related:
        if each["prefect.resource.role"] == role:
            return each.get("prefect.resource.name")
    return None
