"""Acts of incidents: one page, one incident, closed when it is over."""

import asyncio
from typing import Any

from sandbox.acts.hostile import CREDENTIALS, HOSTILE
from sandbox.acts.stage import Act, Performance, Picture, Stage, need, same
from sandbox.capture.incidents import IncidentStatus

STEP = "12s"


def configure(config: dict[str, Any]) -> None:
    """One step that comes within seconds, an own channel for the next, and rich messages."""
    secrets, channels = config["data-alerts:secrets"], config["data-alerts:channels"]
    secrets["team-lead-key"] = {"name": "prefect/team-lead-key", "from": "env"}
    secrets["rich-url"] = {"name": "prefect/rich-url", "from": "env"}
    channels["team-lead"] = {"kind": "pagerduty", "block": "team-lead", "secret": "team-lead-key"}
    channels["rich"] = {"kind": "slack", "block": "rich", "secret": "rich-url", "format": "rich"}
    config["data-alerts:tiers"]["warning"] = {"notify": ["data-alerts", "rich"]}
    config["data-alerts:escalation"] = [
        {"after": STEP, "to": "on-call engineer", "notify": ["on-call"]},
        {"after": "16s", "to": "team lead", "notify": ["team-lead"]},
    ]
    pipelines = config["data-alerts:pipelines"]
    pipelines["one-incident"] = {"owner": "data-platform", "escalate": True}


async def _one_incident(stage: Stage) -> None:
    """Fail three times, last, recover: one incident, updated and resolved, in each service."""
    await stage.end("one-incident", "Failed", "Failed", "Failed")
    await stage.arrived(f"not recovered in {STEP}", "on-call")
    await stage.arrived("not recovered in 16s", "team-lead")
    await stage.end("one-incident", "Completed")
    await stage.arrived("Recovered: one-incident", "data-alerts")
    await stage.arrived("Resolved: one-incident", count=2)
    await stage.settled()
    for channel, triggers in (("on-call", 2), ("team-lead", 1)):
        found = stage.incidents(channel)
        same([each.status for each in found], [IncidentStatus.RESOLVED], f"incidents of {channel}")
        need(found[0].count == triggers, f"{channel} has {found[0].count} triggers, not {triggers}")
    about = "one-incident"
    same(
        stage.titles("data-alerts", about),
        [*[":x: Pipeline failed: one-incident"] * 3, ":white_check_mark: Recovered: one-incident"],
        "Slack",
    )
    need(len(stage.titles("data-alerts-critical", about)) == 1, "critical was not told once")


async def _rich(stage: Stage) -> None:
    """A rich message has a button that leads to the run."""
    run = await stage.ended("rich", "Failed", "the warehouse is asleep")
    message = await stage.arrived("Pipeline failed: rich", "rich")
    need(message.accepted, f"Slack refused it: {message.answer}")
    need(str(run.run_id) in str(message.payload["blocks"]), "no button leads to the run")


async def _hostile(stage: Stage) -> None:
    """Errors of any kind arrive, mention nobody and draw out no key."""
    for number, text in enumerate(HOSTILE):
        await stage.end(f"hostile-{number:02}", "Failed", message=text)
    for channel in ("data-alerts", "rich"):
        await stage.arrived("Pipeline failed: hostile-", channel, len(HOSTILE), seconds=120)
        for message in stage.messages(channel, "hostile-"):
            need(message.accepted, f"{message.title} was refused: {message.answer}")
            need(not message.mentions, f"{message.title} mentions {message.mentions}")
    # Pages go through a template that knows the key.
    for number in range(len(HOSTILE)):
        await asyncio.gather(
            *(
                stage.end(f"hostile-{number:02}", "Failed", message=HOSTILE[number])
                for _ in range(2)
            )
        )
    await stage.arrived("CRITICAL: hostile-", "on-call", len(HOSTILE), seconds=180)
    secrets = stage.stack.secrets.values()
    for message in stage.messages(title="hostile-"):
        need(message.accepted, f"{message.title} was refused: {message.answer}")
        text = message.model_dump_json()
        need(not any(secret in text for secret in secrets), f"{message.title} shows a secret")
        need("[redacted" not in text.replace("[redacted]", ""), "the capture had to take out a key")


async def _credentials(stage: Stage) -> None:
    """Errors with credentials arrive without them."""
    for number, (text, _) in enumerate(CREDENTIALS):
        await stage.end(f"leaky-{number:02}", "Failed", message=text)
    await stage.arrived("Pipeline failed: leaky-", "data-alerts", len(CREDENTIALS), seconds=120)
    for message in stage.messages(title="leaky-"):
        text = message.model_dump_json()
        for _, secret in CREDENTIALS:
            need(secret not in text, f"{message.title} shows a credential")


INCIDENTS = Performance(
    "incidents",
    configure,
    (
        Act(
            "fail three times and recover: one incident, resolved",
            _one_incident,
            (Picture("on-call", "CRITICAL: one-incident"), Picture("team-lead", "ESCALATION")),
        ),
        Act("a rich message has buttons that work", _rich),
    ),
)

HOSTILITY = Performance(
    "hostile errors",
    configure,
    (
        Act("hostile errors are harmless", _hostile),
        Act("credentials are taken out", _credentials),
    ),
)
