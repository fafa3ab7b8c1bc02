"""Plays a drill in a Prefect workspace, and reads the last one back. Prefect's own events say it.

Example:
    async with client:
        settings = await PrefectWorkspace(client).published()
        report = await play_drill(client, settings, page=False)
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from prefect.client.orchestration import PrefectClient
from pydantic import ValidationError

from alerting.drills.drill import Drill, DrillError
from alerting.drills.judging import EXECUTED, FAILED, Requests, report_of
from alerting.drills.report import Delivery, DrillReport
from alerting.plan.drill_events import DrillPhase, drill_resource
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import HEARTBEAT_EVENT, SCOPE_LABEL, sentinel_resource
from alerting.sentinel.events import Event
from alerting.sentinel.prefect_events import CLOCKS_DIFFER, from_then_on, read_events
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from alerting.sentinel.texts import readable
from alerting.sentinel.workspace import PERSISTED_SECONDS, AutomationState
from alerting.settings.durations import format_duration

WITHIN = timedelta(seconds=30)
POLL_SECONDS = 1.0
KEPT = timedelta(days=30)
"""How far back Prefect looks for events by itself."""
# What the server acts on at the last moment, it writes down a little later.
WRITTEN_WITHIN = timedelta(seconds=PERSISTED_SECONDS + 2)


async def play_drill(
    client: PrefectClient,
    settings: PublishedSettings,
    *,
    page: bool = False,
    within: timedelta = WITHIN,
) -> DrillReport:
    """Tell every drill channel of a drill and of its end, and say what arrived how soon.

    The client must be open. Nobody is paged unless `page` says so. It takes seconds, and where
    messages are missing at most twice `within` and some seconds more.

    Raises:
        DrillError: when nobody would hear of it; the text says what to do.
        httpx.HTTPError: when Prefect cannot be asked.
    """
    drill = Drill.of(settings, uuid4(), page=page, within=within)
    workspace = PrefectWorkspace(client)
    await workspace.announce([drill.request(DrillPhase.BEGAN, datetime.now(UTC))])
    is_open = True
    try:
        report = await _known(client, drill, DrillPhase.BEGAN)
        is_open = DrillPhase.BEGAN in await _acted_on(client, drill)
    finally:
        # Also of a drill that was interrupted. A sentinel that is down is asked for nothing more:
        # it would answer when it is back.
        if is_open:
            await workspace.announce([drill.request(DrillPhase.ENDED, datetime.now(UTC))])
    if is_open:
        report = await _known(client, drill, DrillPhase.ENDED)
    if report is None:
        raise DrillError(
            "Prefect took the drill's events and wrote none down: are its event services running?"
        )
    return await _explained(client, settings, report)


async def last_drill(client: PrefectClient, settings: PublishedSettings) -> DrillReport | None:
    """The stack's last drill, as far as Prefect still has its events; None when there is none.

    Raises httpx.HTTPError when Prefect cannot be asked.
    """
    if settings.drills is None:
        return None
    asked = {
        "occurred": from_then_on(datetime.now(UTC) - KEPT),
        "event": {"name": [DrillPhase.BEGAN.request]},
        "resource": {"labels": {SCOPE_LABEL: settings.drills.scope}},
        "order": "DESC",
    }
    async for event in read_events(client, asked, page=1):
        with suppress(ValidationError):  # of another version: the one before it
            report = await _report(client, Drill.of_request(event))
            return await _explained(client, settings, report) if report else None
    return None


async def _known(client: PrefectClient, drill: Drill, phase: DrillPhase) -> DrillReport | None:
    """The report, once all is known of a phase or its time is up; None where nothing is."""
    deadline = time.monotonic() + (drill.within + WRITTEN_WITHIN).total_seconds()
    while True:
        report = await _report(client, drill)
        if (report and report.knows(phase)) or time.monotonic() > deadline:
            return report
        await asyncio.sleep(POLL_SECONDS)


async def _report(client: PrefectClient, drill: Drill) -> DrillReport | None:
    """What is known by now; None before the server has written the request down."""
    requests = await _requests(client, drill)
    began = requests.get(DrillPhase.BEGAN)
    return report_of(drill, requests, await _actions(client, drill, began)) if began else None


async def _requests(client: PrefectClient, drill: Drill) -> Requests:
    names = {phase.request: phase for phase in DrillPhase}
    events = read_events(client, _of_drill(drill, names))
    return {names[event["event"]]: event async for event in events}


async def _actions(client: PrefectClient, drill: Drill, began: Event) -> Sequence[Event]:
    asked_at = datetime.fromisoformat(began["occurred"])
    asked = {
        "occurred": from_then_on(asked_at - CLOCKS_DIFFER),
        "event": {"name": [EXECUTED, FAILED]},
        "resource": {"labels": {"prefect.resource.name": [rule.name for rule in drill.rules]}},
    }
    return [event async for event in read_events(client, asked)]


async def _explained(
    client: PrefectClient, settings: PublishedSettings, report: DrillReport
) -> DrillReport:
    """The report with a reason for whatever is missing."""
    if not any(each.is_pending for each in report.deliveries):
        return report
    unanswered = await _unanswered(client, settings, report.drill)
    names = [rule.name for rule in report.drill.rules]
    automations = await PrefectWorkspace(client).automations(names)
    waited = format_duration(report.drill.within)

    def why(delivery: Delivery) -> str:
        return (
            unanswered.get(delivery.phase)
            or _idle(delivery.rule, automations.get(delivery.rule))
            or f"Prefect did not act on it within {waited}"
        )

    return report.explained(why)


async def _unanswered(
    client: PrefectClient, settings: PublishedSettings, drill: Drill
) -> dict[DrillPhase, str]:
    """What keeps the sentinel from answering, for each phase that it has not answered."""
    missing = set(DrillPhase) - await _acted_on(client, drill)
    if not missing or settings.sentinel is None:
        return {}
    heard = await _last_heard(client, settings.sentinel.scope)
    problem = f"the sentinel did not answer. It was {heard}. Start it: alertctl sentinel run"
    return dict.fromkeys(missing, problem)


async def _acted_on(client: PrefectClient, drill: Drill) -> set[DrillPhase]:
    """The phases whose events automations can act on: those that the sentinel has answered."""
    if not drill.judged:
        return set(DrillPhase)
    names = {phase.announcement: phase for phase in DrillPhase}
    return {names[event["event"]] async for event in read_events(client, _of_drill(drill, names))}


def _of_drill(drill: Drill, names: Iterable[str]) -> dict[str, object]:
    """A filter for the events of these names about a drill."""
    return {
        "occurred": from_then_on(datetime.now(UTC) - KEPT),
        "event": {"name": list(names)},
        "resource": {"id": [drill_resource(drill.drill)]},
    }


async def _last_heard(client: PrefectClient, scope: str) -> str:
    asked = {
        "event": {"name": [HEARTBEAT_EVENT]},
        "resource": {"id": [sentinel_resource(scope)]},
        "order": "DESC",
    }
    async for event in read_events(client, asked, page=1):
        return f"last heard of at {readable(datetime.fromisoformat(event['occurred']))}"
    return "never heard of"


def _idle(name: str, state: AutomationState | None) -> str | None:
    """Why an automation does not act."""
    if state is None:
        return f"automation {name!r} is missing. Deploy the stack"
    return None if state.enabled else f"automation {name!r} is paused. Resume it, or deploy"
