"""Whether the alerting itself works. Pure: no I/O, no clock."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.doctor.findings import Finding, Verdict
from alerting.drills.report import DrillReport
from alerting.observing.notifications import Notification
from alerting.observing.records import Automation
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import SETTINGS_LABEL
from alerting.sentinel.events import Event
from alerting.sentinel.judging import REORDERED
from alerting.sentinel.texts import readable
from alerting.sentinel.workspace import PERSISTED_SECONDS
from alerting.settings.durations import format_duration

_WRITTEN = timedelta(seconds=PERSISTED_SECONDS)
_LISTED = 5
SENTINEL, AUTOMATIONS, BLOCKS, CHANNELS, DRILL = (
    "sentinel",
    "automations",
    "blocks",
    "channels",
    "drill",
)


@dataclass(frozen=True)
class Deployed:
    """What the workspace has of the stack."""

    automations: Sequence[Automation]
    """Those of the stack's names."""
    blocks: Mapping[str, str]
    """Ids of the stack's blocks, by slug."""


@dataclass(frozen=True)
class Channel:
    """A channel, and what it was told last."""

    name: str
    last: Notification | None
    """The last message that was delivered, None when none was in the time that is kept."""
    failed: Notification | None
    """The last that was not, where none was delivered after it."""


def channels_of(
    settings: PublishedSettings, notifications: Sequence[Notification]
) -> tuple[Channel, ...]:
    """The stack's channels by name. `notifications` have the newest first."""
    names = {channel for rule in settings.rules for channel in rule.actions if channel}
    return tuple(_channel(name, notifications) for name in sorted(names))


def _channel(name: str, notifications: Sequence[Notification]) -> Channel:
    own = [each for each in notifications if each.channel == name]
    last = next((each for each in own if each.delivered), None)
    failed = own[0] if own and not own[0].delivered else None
    return Channel(name, last, failed)


def sentinel_health(
    settings: PublishedSettings, heartbeat: Event | None, now: datetime
) -> Iterator[Finding]:
    """Whether the sentinel is heard and follows the stack as deployed."""
    rules = settings.sentinel
    if rules is None:
        yield Finding(SENTINEL, Verdict.NOT_MADE, "Prefect's own triggers judge here")
        return
    start = "start it: alertctl sentinel run"
    if heartbeat is None:
        yield Finding(SENTINEL, Verdict.WRONG, "was never heard of", start)
        return
    heard, labels = datetime.fromisoformat(heartbeat["occurred"]), heartbeat["resource"]
    if now - heard > rules.silent_for + _WRITTEN:
        yield Finding(SENTINEL, Verdict.WRONG, f"was last heard of at {readable(heard)}", start)
        return
    if labels.get(SETTINGS_LABEL) != settings.digest:
        text = "follows other settings than those that are deployed"
        yield Finding(SENTINEL, Verdict.WRONG, text, "it takes them up by itself within a minute")
        return
    judged = heartbeat["payload"].get("judged_until")
    # One that has just begun says that it looks at what was before it once more.
    if judged and now - (until := datetime.fromisoformat(judged)) > rules.silent_for + REORDERED:
        text = f"is heard, and has judged only what was until {readable(until)}"
        remedy = "while it catches up this passes; where it does not, its log says why"
        yield Finding(SENTINEL, Verdict.WRONG, text, remedy)
        return
    ago = format_duration(max(now - heard, timedelta(0)))
    yield Finding(SENTINEL, Verdict.GOOD, f"heard {ago} ago")


def automations_health(settings: PublishedSettings, deployed: Deployed) -> Iterator[Finding]:
    """Automations that are missing, doubled or switched off, against those that are published."""
    if not settings.rules:
        text = "the stack is of a version that does not say which there are"
        yield Finding(AUTOMATIONS, Verdict.NOT_MADE, text, "deploy it with this one")
        return
    counts = Counter(each.name for each in deployed.automations)
    enabled = {each.name for each in deployed.automations if each.enabled}
    names = [rule.name for rule in settings.rules]
    standby = [rule.name for rule in settings.rules if rule.standby]
    problems = (
        ("missing", [n for n in names if n not in counts], "deploy the stack with --refresh"),
        (
            "doubled, people are told twice",
            [n for n in names if counts[n] > 1],
            "delete all but one",
        ),
        (
            "switched off",
            [n for n in names if n in counts and n not in enabled and n not in standby],
            "prefect automation resume NAME",
        ),
    )
    found = [
        Finding(AUTOMATIONS, Verdict.WRONG, f"{w}: {_listed(n)}", r) for w, n, r in problems if n
    ]
    if on := [name for name in standby if name in enabled]:
        text = f"{len(on)} stand in for a silent sentinel: they alert, with deviations"
        found.append(Finding(AUTOMATIONS, Verdict.WRONG, text, "start the sentinel"))
    yield from found
    if not found:
        watching = len(names) - len(standby)
        yield Finding(AUTOMATIONS, Verdict.GOOD, f"{watching} are on, {len(standby)} stand by")


def blocks_health(settings: PublishedSettings, deployed: Deployed) -> Iterator[Finding]:
    """Blocks that are missing, and automations that name a block that is not there."""
    missing = [slug for slug in settings.blocks if slug not in deployed.blocks]
    if missing:
        remedy = "deploy the stack with --refresh"
        yield Finding(BLOCKS, Verdict.WRONG, f"missing: {_listed(missing)}", remedy)
    ids = set(deployed.blocks.values())
    dangling = [each.name for each in deployed.automations if _dangles(each, ids)]
    if dangling and not missing:
        text = f"a block that is not the stack's is told by: {_listed(dangling)}"
        yield Finding(BLOCKS, Verdict.WRONG, text, "deploy the stack with --refresh")
    elif not missing:
        yield Finding(BLOCKS, Verdict.GOOD, f"all {len(settings.blocks)} resolve")


def channels_health(channels: Sequence[Channel]) -> Iterator[Finding]:
    """Channels whose last message was not delivered."""
    broken = [each for each in channels if each.failed]
    for each in broken:
        if each.failed:
            text = f"{each.name}: the last message was not delivered: {each.failed.problem}"
            yield Finding(CHANNELS, Verdict.WRONG, text, "alertctl doctor names the cause")
    if not broken:
        told = sum(each.last is not None for each in channels)
        text = f"{told} of {len(channels)} were told something lately"
        yield Finding(CHANNELS, Verdict.GOOD, text)


def drill_health(drill: DrillReport | None) -> Iterator[Finding]:
    """Whether the last drill arrived."""
    if drill is None:
        yield Finding(DRILL, Verdict.NOT_MADE, "there was none yet", "try it: alertctl drill")
        return
    at = readable(drill.asked)
    missed = [each for each in drill.deliveries if not each.arrived]
    if missed or not drill.is_over:
        text = "; ".join(f"{each.channel}: {each.problem}" for each in missed) or "it has no end"
        yield Finding(DRILL, Verdict.WRONG, f"failed at {at}: {text}", "try again: alertctl drill")
        return
    slowest = max((each.seconds or 0.0 for each in drill.deliveries), default=0.0)
    count = len(drill.deliveries)
    yield Finding(DRILL, Verdict.GOOD, f"passed at {at}, {count} messages within {slowest:.1f} s")


def _dangles(automation: Automation, ids: Collection[str]) -> bool:
    blocks = (action.block_document_id for action in automation.actions)
    return any(block is not None and block not in ids for block in blocks)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more
