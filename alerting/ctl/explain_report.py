"""An explanation, for people and for programs."""

from collections.abc import Iterable, Iterator
from typing import Any

from alerting.ctl.explanation import Explanation, Firing
from alerting.settings.durations import format_duration

_INDENT = "      "


def lines_of(found: Explanation) -> Iterator[str]:
    """What follows and why, line by line."""
    yield _title(found)
    yield from _about_pipeline(found)
    yield ""
    for firing in found.now:
        yield f"{_at(firing):>4}  {' -> '.join(_chain(found, firing))}"
        for message in firing.told.messages:
            yield f"{_INDENT}{message.channel}: {message.subject.strip()}"
            yield from (f"{_INDENT}  {line}" for line in message.body.splitlines())
    yield f"told: {_names(found.channels)}"
    if found.later:
        yield ""
        yield "if nothing changes:"
        for firing in found.later:
            yield f"{_at(firing):>4}  {' -> '.join(_chain(found, firing))}"
            for message in firing.told.messages:
                yield f"{_INDENT}{message.channel}: {message.subject.strip()}"
    yield ""
    yield "rules:"
    width = max(len(reading.rule.name) for reading in found.readings)
    for reading in found.readings:
        yield (
            f"  {'meets' if reading.acts else 'misses':6}  {reading.rule.name:{width}}  "
            f"{reading.why}"
        )


def as_json(found: Explanation) -> dict[str, Any]:
    """The same as data."""
    asked = found.asked
    return {
        "stack": found.plan.stack,
        "flow": asked.flow,
        "deployment": asked.deployment,
        "state": asked.state,
        "times": asked.times,
        "event": found.event,
        "pipeline": found.pipeline.name if found.pipeline else None,
        "channels": sorted(found.channels),
        "told": [_firing(found, firing) for firing in found.now],
        "later": [_firing(found, firing) for firing in found.later],
        "rules": [
            {
                "rule": reading.rule.key,
                "name": reading.rule.name,
                "tier": reading.rule.tier.value,
                "meets": reading.acts,
                "why": reading.why,
            }
            for reading in found.readings
        ],
    }


def difference(wanted: Iterable[str], found: Explanation) -> str | None:
    """How the channels told at once differ from those wanted; None when they do not."""
    wanted, told = frozenset(wanted), found.channels
    later = {c: _at(firing) for firing in reversed(found.later) for c in firing.told.channels}
    missing = [
        f"{channel} (only at {later[channel]}, if nothing changes)" if channel in later else channel
        for channel in sorted(wanted - told)
    ]
    parts = [f"not told: {', '.join(missing)}"] if missing else []
    if told - wanted:
        parts.append(f"told besides: {', '.join(sorted(told - wanted))}")
    return "; ".join(parts) or None


def _title(found: Explanation) -> str:
    asked = found.asked
    times = f", {asked.times} times a minute apart" if asked.times > 1 else ""
    deployment = f" of deployment {asked.deployment}" if asked.deployment else ""
    tag = found.plan.published.tag
    return (
        f"{asked.flow}{deployment}: {asked.state}{times}, with the tag {tag} ({found.plan.stack})"
    )


def _about_pipeline(found: Explanation) -> Iterator[str]:
    if found.pipeline:
        yield f"pipeline {found.pipeline.name} of {found.pipeline.owner}"
        return
    published, flow = found.plan.published, found.asked.flow
    yield f"not a listed pipeline: {published.default_owner} answers for it"
    for each in published.pipelines:
        if flow in (each.name, each.flow):
            wanted = f"--flow {each.flow}"
            wanted += f" --deployment {each.deployment}" if each.deployment else ""
            yield f"  for pipeline {each.name} ask: {wanted}"


def _chain(found: Explanation, firing: Firing) -> Iterator[str]:
    yield found.event
    if firing.verdict:
        yield firing.verdict
    yield firing.rule.name
    yield _names(firing.told.channels)


def _firing(found: Explanation, firing: Firing) -> dict[str, Any]:
    return {
        "at": _at(firing),
        "event": found.event,
        "verdict": firing.verdict,
        "rule": firing.rule.key,
        "name": firing.rule.name,
        "tier": firing.rule.tier.value,
        "channels": sorted(firing.told.channels),
        "messages": [
            {"channel": m.channel, "subject": m.subject, "body": m.body}
            for m in firing.told.messages
        ],
    }


def _at(firing: Firing) -> str:
    return format_duration(firing.told.at)


def _names(channels: Iterable[str]) -> str:
    return ", ".join(sorted(channels)) or "nobody"
