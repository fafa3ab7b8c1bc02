"""Acts of the calendar: a window that comes again, the day's summary, late and lost runs.

They take minutes, for a calendar knows nothing shorter.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.sentinel.judging import silences_of
from sandbox.acts.stage import Act, ActError, Performance, Picture, Stage, need, same
from sandbox.capture.incidents import IncidentStatus

MINUTE = timedelta(minutes=1)
WINDOW = "windowed"
_DEPLOYED_WITHIN = 2 * MINUTE
_LATEST = 10.0
"""Seconds after its time by which a summary is there."""
_LATE_SECONDS = 90.0
_LOST_SECONDS = 150.0


def configure(config: dict[str, Any]) -> None:
    """A window of a minute that begins soon, and after it the day's summary."""
    begins = _next_minute(datetime.now(UTC) + _DEPLOYED_WITHIN)
    after = begins + 2 * MINUTE
    config["data-alerts:maintenance"] = [
        {
            "cron": f"{begins.minute} {begins.hour} * * *",
            "timeZone": "UTC",
            "duration": "1m",
            "pipelines": [WINDOW],
            "reason": "the nightly copy",
        }
    ]
    config["data-alerts:dailySummary"] = {"at": f"{after:%H:%M} UTC", "notify": ["data-info"]}
    config["data-alerts:tiers"]["late"] = {"notify": ["data-alerts", "on-call"], "lostAfter": "90s"}
    config["data-alerts:pipelines"] = {
        WINDOW: {"owner": "data-platform"},
    }


def _next_minute(after: datetime) -> datetime:
    return after.replace(second=0, microsecond=0) + MINUTE


async def _window(stage: Stage) -> None:
    """What fails in a window is told after it, in one message."""
    now = datetime.now(UTC)
    coming = silences_of(stage.published, ()).coming(now, now + _DEPLOYED_WITHIN + MINUTE)
    if not coming:
        raise ActError("the window had begun before the stack was deployed: it is too slow here")
    await _until(coming[0].starts + timedelta(seconds=1))
    await stage.end(WINDOW, "Failed", "Failed", "Failed")
    await stage.end("outside", "Failed")
    await stage.arrived("Pipeline failed: outside", "data-alerts")
    await stage.arrived(f"Silence over: {WINDOW}", "data-alerts", seconds=90)
    need(not stage.messages(title=f"Pipeline failed: {WINDOW}"), "the window was not kept")
    need(not stage.messages("on-call"), "somebody was paged in the window")
    await stage.end(WINDOW, "Failed")
    await stage.arrived(f"Pipeline failed: {WINDOW}", "data-alerts")


async def _summary(stage: Stage) -> None:
    """The day's summary comes once, at its time, where it was asked for."""
    if stage.published.sentinel is None or stage.published.sentinel.summary is None:
        raise AssertionError("it was configured")
    message = await stage.arrived("Pipelines of sandbox:", "data-info", seconds=150)
    due = stage.published.sentinel.summary.last_until(message.received_at)
    late = (message.received_at - due).total_seconds()
    need(not stage.timed or late < _LATEST, f"it came {late:.0f} s late")
    await stage.settled()
    need(len(stage.messages(title="Pipelines of sandbox:")) == 1, "it came more than once")


async def _late(stage: Stage) -> None:
    """A run that nobody starts is told of once, and closed when it completes after all."""
    run = await stage.runs.schedule("late", datetime.now(UTC) - timedelta(minutes=5))
    await stage.arrived("Late to start: late", "data-alerts", seconds=_LATE_SECONDS)
    await stage.runs.set(run, "Completed")
    await stage.arrived("Resolved: late", "on-call")
    await stage.settled()
    same(stage.titles("data-alerts", "late"), [":hourglass: Late to start: late"], "Slack")
    same([each.status for each in stage.incidents("on-call")], [IncidentStatus.RESOLVED], "on-call")


async def _lost(stage: Stage) -> None:
    """A run whose heartbeats end counts as crashed, and is told as a failure."""
    run = await stage.runs.start("lost")
    await stage.heartbeat("lost", run)
    message = await stage.arrived("Pipeline failed: lost", "data-alerts", seconds=_LOST_SECONDS)
    need("No heartbeat" in message.text, "the message does not say why it failed")


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0.0))


CALENDAR = Performance(
    "the calendar",
    configure,
    (
        Act(
            "a window that comes again is kept",
            _window,
            (Picture("data-alerts", "Silence over"),),
        ),
        Act(
            "the day's summary",
            _summary,
            (Picture("data-info", "Pipelines of"),),
        ),
        Act("a run that nobody starts", _late, (Picture("data-alerts", "Late to start"),)),
        Act("a run whose heartbeats end", _lost),
    ),
)
