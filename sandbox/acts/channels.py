"""Acts of channels: every kind of them, an owner's own, and P1 before critical."""

from typing import Any

from sandbox.acts.stage import Act, Performance, Picture, Stage, need, same

KIND = "each-kind"
OWNED = "of-web"
SECRETS = ("rich-url", "teams-url", "mail-key", "hook-url", "bell-key", "web-url", "web-key")
LOUD = ("data-alerts", "rich", "teams", "mail", "hook")


def configure(config: dict[str, Any]) -> None:
    """A channel of every kind and format, and an owner with channels of its own."""
    config["data-alerts:secrets"].update(
        {key: {"name": f"prefect/{key}", "from": "env"} for key in SECRETS}
    )
    config["data-alerts:channels"].update(
        {
            "rich": {"kind": "slack", "block": "rich", "secret": "rich-url", "format": "rich"},
            "teams": {"kind": "teams", "block": "teams", "secret": "teams-url"},
            "mail": {
                "kind": "email",
                "block": "mail",
                "secret": "mail-key",
                "sender": "alerts@example.com",
                "to": ["team@example.com"],
            },
            "hook": {"kind": "webhook", "block": "hook", "secret": "hook-url"},
            "bell": {
                "kind": "pagerduty",
                "block": "bell",
                "secret": "bell-key",
                "incidents": "plain",
            },
            "web-alerts": {"kind": "slack", "block": "web-alerts", "secret": "web-url"},
            "web-on-call": {"kind": "pagerduty", "block": "web-on-call", "secret": "web-key"},
        }
    )
    config["data-alerts:owners"] = {"web": {"slack": "web-alerts", "pagerduty": "web-on-call"}}
    tiers = config["data-alerts:tiers"]
    tiers["warning"] = tiers["recovery"] = {"notify": list(LOUD)}
    tiers["critical"]["notify"] = ["data-alerts-critical", "on-call", "bell"]
    config["data-alerts:pipelines"] = {
        KIND: {"owner": "data-platform", "runbook": "https://wiki.example.com/runbooks/each-kind"},
        OWNED: {"owner": "web"},
    }


async def _every_kind(stage: Stage) -> None:
    """A failure, a streak and a recovery arrive in channels of every kind."""
    await stage.end(OWNED, "Completed")  # all are down is another act
    await stage.end(KIND, "Failed", "Failed", "Failed")
    for channel in LOUD:
        await stage.arrived(f"Pipeline failed: {KIND}", channel, 3)
    for channel in ("data-alerts-critical", "on-call", "bell"):
        await stage.arrived(f"CRITICAL: {KIND} failed 3 times", channel)
    await stage.end(KIND, "Completed")
    for channel in LOUD:
        await stage.arrived(f"Recovered: {KIND}", channel)
    await stage.settled()
    refused = [message for message in stage.messages(title=KIND) if not message.accepted]
    need(not refused, f"refused: {[(m.channel, m.title, m.answer) for m in refused]}")


async def _owners(stage: Stage) -> None:
    """What happens to a team's pipeline is told to that team alone."""
    await stage.end(OWNED, "Failed", "Failed", "Failed")
    await stage.arrived(f"CRITICAL: {OWNED} failed 3 times", "web-on-call")
    await stage.end(OWNED, "Completed")
    await stage.arrived(f"Resolved: {OWNED}", "web-on-call")
    await stage.arrived(f"Recovered: {OWNED}", "web-alerts")
    await stage.settled()
    told = sorted({message.channel for message in stage.messages(title=OWNED)})
    same(told, ["web-alerts", "web-on-call"], "channels that were told")


async def _held_back(stage: Stage) -> None:
    """While all are down, the streaks that this explains page nobody."""
    await stage.end(KIND, "Failed")
    await stage.end(OWNED, "Failed")
    await stage.arrived("P1: all 2 pipelines are down", "on-call")
    await stage.end(KIND, "Failed", "Failed")
    await stage.arrived(f"Pipeline failed: {KIND}", "data-alerts", 3)
    # What outlasts P1 would be told then.
    await stage.end(KIND, "Completed")
    await stage.arrived("Not all pipelines are down any more", "on-call")
    await stage.arrived(f"Recovered: {KIND}", "data-alerts")
    await stage.end(OWNED, "Completed")
    await stage.settled()
    need(not stage.messages(title=f"CRITICAL: {KIND}"), "a streak was told while all were down")


CHANNELS = Performance(
    "channels",
    configure,
    (
        Act(
            "every kind of channel is told",
            _every_kind,
            (
                *(Picture(channel, f"Pipeline failed: {KIND}") for channel in LOUD),
                Picture("data-alerts-critical", f"CRITICAL: {KIND}"),
                Picture("bell", f"CRITICAL: {KIND}"),
                Picture("data-alerts", f"Recovered: {KIND}"),
            ),
        ),
        Act("an owner's pipelines are told to the owner alone", _owners),
        Act(
            "all are down, and streaks are held back",
            _held_back,
            (Picture("on-call", "P1: all"),),
        ),
    ),
)
