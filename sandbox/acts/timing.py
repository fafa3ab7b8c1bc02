"""Acts of time: freshness, loads, runs that do not end, silences, flapping and storms."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.plan.verdicts import VerdictKind
from alerting.settings.durations import format_duration
from alerting.silences.asked import AskedSilence
from alerting.silences.store import add_silence, end_silence
from sandbox.acts.stage import Act, Performance, Picture, Stage, need, same
from sandbox.capture.incidents import IncidentStatus
from sandbox.drill.pipelines import wait_for

FRESH_WITHIN = timedelta(seconds=15)
STORM = 200
P1_SECONDS = 5.0
MOST_MESSAGES = 5
LISTED_SECONDS = 150.0


def _configure_quiet(config: dict[str, Any]) -> None:
    pipelines = config["data-alerts:pipelines"]
    pipelines["fresh"] = {"owner": "data-platform", "freshWithin": format_duration(FRESH_WITHIN)}
    pipelines["rows"] = {"owner": "data-platform", "rows": {"min": 1, "dropBelow": "50%"}}
    pipelines["stuck"] = {"owner": "data-platform", "maxDuration": "10s"}


async def _freshness(stage: Stage) -> None:
    """No success for 15 s is told once, and so is the next success."""
    stale = f"Stale: fresh, no success for {format_duration(FRESH_WITHIN)}"
    fresh = "Fresh again: fresh"
    # The first may count from the deployment, and so come at any moment.
    await stage.arrived(stale, "data-alerts")
    success = await stage.ended("fresh", "Completed", "")
    await stage.arrived(fresh, "data-alerts")
    told = await stage.arrived(stale, "data-alerts", 2)
    after = told.received_at - success.at
    need(after >= FRESH_WITHIN, f"it was told {after.total_seconds():.1f} s after a success")
    await stage.end("fresh", "Completed")
    await stage.arrived(fresh, "data-alerts", 2)
    same(
        stage.titles("data-alerts", "fresh")[:4],
        [f":snail: {stale}", f":white_check_mark: {fresh}"] * 2,
        "Slack",
    )


async def _rows(stage: Stage) -> None:
    """Zero rows are told, and so is a load of less than half of the usual."""
    await stage.load("rows", 0)
    await stage.arrived("Anomaly: rows loaded 0 rows", "data-alerts")
    for rows in (100, 110, 90, 105):
        await stage.load("rows", rows)
    # The server writes events down every 5 s, and a load is compared with those before it.
    await asyncio.sleep(6)
    await stage.load("rows", 40)
    await stage.arrived("Anomaly: rows loaded 40 rows", "data-alerts")
    await stage.settled()
    need(len(stage.messages(title="Anomaly")) == 2, "a good load was told")  # noqa: PLR2004 - two


async def _stuck(stage: Stage) -> None:
    """A run that does not end in time is told once."""
    run = await stage.runs.start("stuck")
    await stage.arrived("Stuck: stuck has been running for 10s", "data-alerts")
    await stage.runs.set(run, "Completed")
    await stage.settled()
    need(len(stage.messages(title="Stuck")) == 1, "it was told more than once")


async def _silence(stage: Stage) -> None:
    """One pipeline is silenced, over a killed sentinel; the others are not; its end is kept."""
    scope = stage.published.sentinel.scope if stage.published.sentinel else ""
    now = datetime.now(UTC)
    asked = AskedSilence(("hushed",), now, now + timedelta(hours=1), "an upgrade", "sandbox")
    silence = await add_silence(stage.client, scope, asked, now)
    await stage.end("hushed", "Failed", "Failed")
    await stage.end("loud", "Failed")
    await stage.arrived("Pipeline failed: loud", "data-alerts")
    await stage.restart_sentinel()
    await stage.end("hushed", "Failed")
    await stage.end("loud", "Failed")
    await stage.arrived("Pipeline failed: loud", "data-alerts", 2)
    await end_silence(stage.client, scope, silence.id, "sandbox", datetime.now(UTC))
    await stage.arrived("Silence over: hushed", "data-alerts")
    need(not stage.messages(title="Pipeline failed: hushed"), "a silenced pipeline was told")
    need(not stage.messages("on-call", "hushed"), "a silenced pipeline paged")
    await stage.restart_sentinel()
    await stage.end("hushed", "Failed")
    await stage.arrived("Pipeline failed: hushed", "data-alerts")


QUIET = Performance(
    "freshness, loads, silences",
    _configure_quiet,
    (
        Act(
            "no success in time",
            _freshness,
            (Picture("data-alerts", "Stale: fresh"), Picture("data-alerts", "Fresh again")),
        ),
        Act("zero rows, and few", _rows, (Picture("data-alerts", "Anomaly: rows loaded 40"),)),
        Act("a run that does not end", _stuck, (Picture("data-alerts", "Stuck: stuck"),)),
        Act("a silence, over killed sentinels", _silence),
    ),
)


def _configure_flap(config: dict[str, Any]) -> None:
    config["data-alerts:noise"] = {"flapFor": "8s", "individually": 1000}


async def _flap(stage: Stage) -> None:
    """Up and down within seconds counts as one."""
    await stage.end("flapping", "Failed", "Completed", "Failed", "Completed", "Failed", "Completed")
    await stage.arrived("Recovered: flapping", "data-alerts")
    await stage.settled()
    same(
        stage.titles("data-alerts", "flapping"),
        [":x: Pipeline failed: flapping", ":white_check_mark: Recovered: flapping"],
        "Slack",
    )


FLAPPING = Performance("flapping", _configure_flap, (Act("up and down counts as one", _flap),))


def _storm_name(number: int) -> str:
    return f"storm-{number:03}"


def _configure_storm(config: dict[str, Any]) -> None:
    config["data-alerts:noise"] = {}
    config["data-alerts:pipelines"] = {
        _storm_name(number): {"owner": "data-platform"} for number in range(STORM)
    }


async def _storm(stage: Stage) -> None:
    """All of 200 pipelines fail within a minute, and recover."""
    names = [_storm_name(number) for number in range(STORM)]
    # A pipeline that never ran is no part of an outage.
    await _end_all(stage, names, "Completed")
    await stage.begin()
    ends = await _end_all(stage, names, "Failed")
    lasting = max(ends) - min(ends)
    need(not stage.timed or lasting < timedelta(minutes=1), f"they took {lasting} to fail")
    page = await stage.arrived(f"P1: all {STORM} pipelines are down", "on-call")
    late = (page.received_at - max(ends)).total_seconds()
    need(not stage.timed or late < P1_SECONDS, f"P1 came after {late:.1f} s")
    await _lists(stage, names, VerdictKind.FAILURE)
    told = stage.messages("data-alerts")
    need(len(told) <= MOST_MESSAGES, f"{len(told)} messages in data-alerts")
    await _end_all(stage, names, "Completed")
    await stage.arrived("Not all pipelines are down any more", "on-call")
    found = stage.incidents("on-call")
    same([each.status for each in found], [IncidentStatus.RESOLVED], "incidents")
    await _lists(stage, names, VerdictKind.RECOVERY)
    told = stage.messages("data-alerts")
    need(len(told) <= 2 * MOST_MESSAGES, f"{len(told)} messages in data-alerts")


async def _end_all(stage: Stage, names: list[str], state: str) -> list[datetime]:
    # One after another: SQLite refuses writers that come at once.
    runs = [await stage.runs.start(name) for name in names]
    return [(await stage.runs.set(run, state, "the warehouse is asleep")).at for run in runs]


async def _lists(stage: Stage, names: list[str], kind: VerdictKind) -> None:
    """Wait until every pipeline was told of, alone or in a list."""

    async def all_told() -> bool | None:
        return True if set(names) <= await stage.told_of(kind) else None

    await wait_for(all_told, LISTED_SECONDS, f"the {kind} of every pipeline")
    await stage.settled()


STORMS = Performance(
    "a storm",
    _configure_storm,
    (
        Act(
            "200 pipelines fail at once",
            _storm,
            (Picture("data-alerts", "pipelines failed"),),
        ),
    ),
)
