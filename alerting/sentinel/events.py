"""Prefect's events as history, and verdicts as Prefect's events. Pure: no I/O, no clock.

Events are mappings as the API's JSON has them, in the stream as in its answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.drill_events import NO, YES
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import (
    ABOUT_RUNS,
    EVENT_PREFIX,
    HEARTBEAT_EVENT,
    PAUSED,
    RESUMED,
    ROUTE_LABEL,
    SCOPE_LABEL,
    SETTINGS_LABEL,
    STANDBY_LABEL,
    STEP_LABEL,
    TOGETHER_LABEL,
    VerdictKind,
    sentinel_resource,
)
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key, rules_of
from alerting.sentinel.messages import TIERS, message_of
from alerting.sentinel.routes import route_of
from alerting.sentinel.texts import one_line, shortened
from alerting.sentinel.verdicts import Verdict

Event = Mapping[str, Any]

FLOW_RUN_PREFIX = "prefect.flow-run."
OUTCOMES = {"COMPLETED": False, "FAILED": True, "CRASHED": True}
"""Whether a run failed, by the type of its terminal state. A cancelled run counts for nothing."""

STATE_TYPE_LABEL = "prefect.state-type"
_MOST_RELATED = 50
"""Runs that an event names as related: Prefect refuses one that names more than a hundred."""


def ended_run(event: Event, tag: str) -> Ended | None:
    """The end that a flow run's event tells of; None when it is another event, or has no tag."""
    ended = event["resource"].get(STATE_TYPE_LABEL, "") in OUTCOMES
    return run_in_state(event, tag) if ended else None


def run_in_state(event: Event, tag: str) -> Ended | None:
    """The run that a flow run's event tells of, as it was then; None for others, or without tag."""
    labels = event["resource"]
    run_id = _run_id(labels["prefect.resource.id"])
    if run_id is None:
        return None
    related = event.get("related", ())
    if not any(each["prefect.resource.id"] == f"prefect.tag.{tag}" for each in related):
        return None
    return Ended(
        at=datetime.fromisoformat(labels.get("prefect.state-timestamp") or event["occurred"]),
        state_id=UUID(str(event["id"])),
        run_id=run_id,
        run=labels.get("prefect.resource.name", ""),
        flow=_name_in_role(related, "flow") or "",
        failed=OUTCOMES.get(labels.get(STATE_TYPE_LABEL, ""), False),
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
    about = _about(verdict, settings)
    scope = rules_of(settings).scope
    labels = {
        "prefect.resource.id": f"{EVENT_PREFIX}pipeline.{scope}.{about}",
        "prefect.resource.name": about,
        SCOPE_LABEL: scope,
        ROUTE_LABEL: route_of(verdict, settings),
        TOGETHER_LABEL: YES if verdict.members else NO,
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
                "prefect.resource.id": f"{FLOW_RUN_PREFIX}{run_id}",
                "prefect.resource.role": "flow-run",
                "prefect.resource.name": run,
            }
            for run_id, run in list(_runs(verdict).items())[:_MOST_RELATED]
        ],
        "payload": dict(_payload(verdict, settings)),
    }


def told_ids(event: Event) -> Iterator[UUID]:
    """The ids of the verdicts that an announcement tells of, lists or sums up."""
    yield UUID(event["id"])
    yield from map(UUID, event["payload"].get("held", ()))
    yield from (UUID(member["verdict"]) for member in event["payload"].get("members", ()))


def announced_runs(event: Event) -> Iterator[Ended]:
    """The ends of runs that an announced verdict is about."""
    about_runs = {kind.event for kind in (*ABOUT_RUNS, VerdictKind.ALL_DOWN)}
    if event["event"] not in about_runs:
        return
    yield from runs_told(event)


def runs_told(event: Event) -> Iterator[Ended]:
    """The runs that an announcement tells of."""
    payload = event["payload"]
    for run in payload.get("members") or (payload,):
        yield Ended(
            at=datetime.fromisoformat(run["at"]),
            state_id=UUID(run["state_id"]),
            run_id=UUID(run["run_id"]),
            run=run["run"],
            flow=run["flow"],
            failed=run["failed"],
            deployment=run["deployment"],
            state=run["state"],
            message=run["error"],
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


def _run_id(resource_id: str) -> UUID | None:
    """The run that a resource is; None also for what somebody has made up."""
    if not resource_id.startswith(FLOW_RUN_PREFIX):
        return None
    try:
        return UUID(resource_id.removeprefix(FLOW_RUN_PREFIX))
    except ValueError:
        return None


def _about(verdict: Verdict, settings: PublishedSettings) -> str:
    """What a verdict is about, in a word."""
    match verdict.kind:
        case VerdictKind.ALL_DOWN | VerdictKind.NOT_ALL_DOWN | VerdictKind.SUMMARY:
            return "all"
        case VerdictKind.SILENCE_OVER:
            return "silence"
    return "many" if verdict.members else _key(verdict.ended, settings)


def _payload(verdict: Verdict, settings: PublishedSettings) -> Iterator[tuple[str, object]]:
    yield "tier", TIERS[verdict.kind].value
    yield from _run(verdict, settings)
    if verdict.outage:
        yield "failures", verdict.outage.failures
        yield "first", verdict.outage.first.at.isoformat()
    if verdict.pipelines:
        yield "pipelines", list(verdict.pipelines)
    if verdict.held:
        yield "held", [str(each) for each in verdict.held]
    if verdict.members:
        yield (
            "members",
            [
                {"verdict": str(member.id), **dict(_run(member, settings))}
                for member in verdict.members
            ],
        )
    yield "messages", message_of(verdict, settings).texts()


def _run(verdict: Verdict, settings: PublishedSettings) -> Iterator[tuple[str, object]]:
    ended = verdict.ended
    pipeline = settings.pipeline_of(ended.flow, ended.deployment)
    yield "key", _key(ended, settings)
    yield "pipeline", pipeline.name if pipeline else ended.flow
    yield "owner", pipeline.owner if pipeline else settings.default_owner
    yield "flow", ended.flow
    yield "deployment", ended.deployment
    yield "run", one_line(ended.run)
    yield "run_id", str(ended.run_id)
    yield "state_id", str(ended.state_id)
    yield "state", one_line(ended.state)
    yield "failed", ended.failed
    yield "at", ended.at.isoformat()
    yield "error", shortened(ended.message)


def _runs(verdict: Verdict) -> dict[UUID, str]:
    ends = [member.ended for member in verdict.tells_of]
    return {ended.run_id: one_line(ended.run) for ended in ends if ended.is_run}


def _key(ended: Ended, settings: PublishedSettings) -> str:
    return pipeline_key(ended, settings.pipeline_of(ended.flow, ended.deployment))


def _name_in_role(related: Sequence[Mapping[str, str]], role: str) -> str | None:
    for each in related:
        if each["prefect.resource.role"] == role:
            return each.get("prefect.resource.name")
    return None
