"""Waits until a Prefect server has taken in its automations and done what was due.

An event that follows an automation's creation at once is not acted on, so a drill must know that
the automations are loaded. The server loads them in order and acts in order. So a probe that is
made last, and works, tells that all before it are loaded; and its action comes after all others.
"""

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import HEARTBEAT_EVENT, SETTINGS_LABEL
from sandbox.drill.pipelines import wait_for
from sandbox.state import SandboxError

# Three seconds on a quiet machine; the rest is for a busy one.
SETTLE_SECONDS = 60.0
REPEAT_SECONDS = 1.0
# A heartbeat may be a minute away, and can be asked for only seconds after it.
SENTINEL_SECONDS = 90.0


async def settle(client: PrefectClient) -> None:
    """Return when the server acts on all automations made so far, and has acted on all events.

    Raises:
        SandboxError: when that takes longer than SETTLE_SECONDS.
    """
    event = f"data-alerts.probe.{uuid4()}"
    target = await _create(client, f"{event}.target", [{"type": "do-nothing"}])
    pause = {"type": "pause-automation", "source": "selected", "automation_id": str(target)}
    probe = await _create(client, event, [pause])

    again = 0.0

    async def target_is_paused() -> bool | None:
        nonlocal again
        # What is sent before the probe is loaded is lost, and each that is not costs an action.
        if time.monotonic() >= again:
            await client.request("POST", "/events", json=[_event(event)])
            again = time.monotonic() + REPEAT_SECONDS
        automation = await client.read_automation(target)
        return True if automation and not automation.enabled else None

    try:
        await wait_for(target_is_paused, SETTLE_SECONDS, "the loading of the automations")
    finally:
        for automation in (probe, target):
            await client.delete_automation(automation)


async def wait_for_sentinel(client: PrefectClient, settings: PublishedSettings) -> None:
    """Return when the stack's sentinel follows these settings, as its heartbeat says.

    Raises:
        SandboxError: when that takes longer than SENTINEL_SECONDS.
    """
    if settings.sentinel is None:
        return
    asked = {
        "event": {"name": [HEARTBEAT_EVENT]},
        "resource": {"labels": {SETTINGS_LABEL: settings.digest}},
    }

    async def heard() -> bool | None:
        answer = await client.request("POST", "/events/filter", json={"filter": asked, "limit": 1})
        return True if answer.json()["events"] else None

    try:
        await wait_for(heard, SENTINEL_SECONDS, "the sentinel's taking up of the settings")
    except SandboxError as error:
        raise SandboxError(
            f"{error}: does it run? logs/sentinel.log in the sandbox's folder says what it does, "
            "and `make sandbox` begins anew"
        ) from None


async def _create(client: PrefectClient, event: str, actions: list[dict[str, str]]) -> UUID:
    trigger = {"type": "event", "posture": "Reactive", "expect": [event], "threshold": 1}
    body = {"name": event, "trigger": trigger, "actions": actions}
    answer = await client.request("POST", "/automations/", json=body)
    return UUID(answer.json()["id"])


def _event(name: str) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": "data-alerts.probe"},
        "payload": {},
    }
