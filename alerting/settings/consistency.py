"""Checks between entries: names that must exist, names that must differ, windows that must fit."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr

from alerting.settings.durations import format_duration
from alerting.settings.models import (
    Channel,
    EscalationStep,
    PagerDutyChannel,
    SecretSource,
    Settings,
    SlackChannel,
    TierSettings,
)
from alerting.settings.problems import KeyPath, ProblemCollector, shown
from alerting.settings.secret_values import secret_value_problem, variable_of

SHORTEST_WINDOW = timedelta(seconds=10)
DEFAULT_WINDOW = timedelta(hours=24)
RESERVED_CHANNEL = "hooks"
"""The Prefect block with the settings of flow hooks is listed among the channels' blocks."""


def check_consistency(
    settings: Settings, raw: Mapping[str, Any], collector: ProblemCollector
) -> None:
    """Add every problem that no single entry shows.

    `raw` tells which names are declared, also those whose entry is itself wrong and therefore
    not in `settings`.
    """
    _check_prefect(settings, collector)
    _check_secrets(settings, collector)
    _check_channels(settings, _declared("secrets", raw, collector), collector)
    _check_notify(settings, _declared("channels", raw, collector), collector)
    _check_drill(settings, collector)
    _check_reach(settings, collector)
    _check_windows(settings, collector)
    _check_escalation(settings, collector)
    if not raw.get("escalation"):
        _check_nobody_escalates(settings, collector)
    _check_pipelines(settings, collector)


def _declared(
    section: str, raw: Mapping[str, Any], collector: ProblemCollector
) -> frozenset[str] | None:
    """Names that a section declares, or None when that cannot be told."""
    return None if collector.is_wrong((section,)) else frozenset(raw.get(section, ()))


def _check_prefect(settings: Settings, collector: ProblemCollector) -> None:
    prefect = settings.prefect
    if prefect.api_key and prefect.basic_auth_key:
        collector.add(
            ("prefect", "basicAuthKey"),
            "apiKey is given as well. Keep apiKey for Prefect Cloud, or basicAuthKey for a server",
        )
    if prefect.is_cloud and not prefect.api_key:
        collector.add(
            ("prefect", "apiKey"),
            "is missing. Prefect Cloud needs one: add {secure: ...}, or {from: env} to read "
            "PREFECT_API_KEY",
        )


def _check_secrets(settings: Settings, collector: ProblemCollector) -> None:
    for key, secret in settings.secrets.items():
        path = ("secrets", key)
        if secret.value is None and secret.source is None:
            collector.add(
                path,
                "has neither value nor from. Add value: {secure: ...}, from: env or "
                "from: secretsmanager",
            )
        if secret.value is not None and secret.source is not None:
            collector.add(path, "has both value and from. Keep one of them")
    names = ((key, secret.name) for key, secret in settings.secrets.items())
    _unique("secrets", names, "the AWS name", collector)
    variables = (
        (key, variable_of(key))
        for key, secret in settings.secrets.items()
        if secret.source is SecretSource.ENV
    )
    _unique("secrets", variables, "the environment variable", collector)


def _check_channels(
    settings: Settings, secrets: frozenset[str] | None, collector: ProblemCollector
) -> None:
    kinds: dict[str, str] = {}
    for key, channel in settings.channels.items():
        if key == RESERVED_CHANNEL:
            collector.add(("channels", key), "is a name in use by the program. Choose another")
        for field, name in _secrets_of(channel):
            path = ("channels", key, field)
            if secrets is not None and name not in secrets:
                collector.add(path, _not_declared("secret", "secrets", name, secrets))
            elif kinds.setdefault(name, channel.kind) != channel.kind:
                collector.add(path, "is used by another kind of channel. Give each its own secret")
            elif problem := _value_problem(settings, channel.kind, name):
                collector.add(("secrets", name, "value"), problem)
    blocks = ((key, (c.kind, c.block)) for key, c in settings.channels.items())
    _unique("channels", blocks, "the block", collector)


def _secrets_of(channel: Channel) -> list[tuple[str, str]]:
    """The fields of a channel that name a secret, with the name."""
    named = [("secret", channel.secret)]
    if isinstance(channel, PagerDutyChannel):
        named.append(("apiKeySecret", channel.api_key_secret))
    return [(field, name) for field, name in named if name is not None]


def _value_problem(settings: Settings, kind: str, secret: str) -> str | None:
    declared = settings.secrets.get(secret)
    if declared is None or not isinstance(declared.value, SecretStr):
        return None
    return secret_value_problem(kind, declared.value.get_secret_value())


def _check_notify(
    settings: Settings, channels: frozenset[str] | None, collector: ProblemCollector
) -> None:
    for path, notify in _notify_lists(settings, collector):
        for name in sorted(set(notify)):
            if channels is not None and name not in channels:
                collector.add(path, _not_declared("channel", "channels", name, channels))
        if len(set(notify)) < len(notify):
            collector.add(path, "names a channel twice, which would tell it twice. Name it once")


def _notify_lists(
    settings: Settings, collector: ProblemCollector
) -> list[tuple[KeyPath, tuple[str, ...]]]:
    lists: list[tuple[KeyPath, tuple[str, ...]]] = [
        (("escalation", index, "notify"), step.notify)
        for index, step in _steps(settings, collector)
    ]
    for name in type(settings.tiers).model_fields:
        tier: TierSettings | None = getattr(settings.tiers, name)
        if tier:
            lists.append((("tiers", name, "notify"), tier.notify))
    if settings.sentinel.notify:
        lists.append((("sentinel", "notify"), settings.sentinel.notify))
    if settings.drill.notify:
        lists.append((("drill", "notify"), settings.drill.notify))
    return lists


def _steps(settings: Settings, collector: ProblemCollector) -> list[tuple[int, EscalationStep]]:
    """Escalation steps by their place in the file, where those that are wrong count as well."""
    total = len(settings.escalation) + len(
        {path[1] for path in collector.wrong if path[0] == "escalation" and len(path) > 1}
    )
    places = [index for index in range(total) if collector.is_sound(("escalation", index))]
    return list(zip(places, settings.escalation, strict=True))


def _check_drill(settings: Settings, collector: ProblemCollector) -> None:
    told = [settings.channels.get(name) for name in settings.drill.notify or ()]
    if any(isinstance(channel, PagerDutyChannel) for channel in told):
        collector.add(
            ("drill", "notify"),
            "would page with every drill. Name Slack channels; `alertctl drill --page` pages as "
            "well",
        )


def _check_reach(settings: Settings, collector: ProblemCollector) -> None:
    channels, tiers = settings.channels, settings.tiers
    warned = [channels[name] for name in tiers.warning.notify if name in channels]
    if warned and not any(channel.secret for channel in warned):
        collector.add(
            ("tiers", "warning", "notify"),
            "reaches nobody: none of its channels has a secret. Name a Slack channel",
        )
    success = tiers.success.notify if tiers.success else ()
    told = [channels[name] for name in success if name in channels]
    if told and not any(isinstance(channel, SlackChannel) for channel in told):
        collector.add(
            ("tiers", "success", "notify"),
            "reaches nobody: a success pages no one. Name a Slack channel",
        )


def _check_windows(settings: Settings, collector: ProblemCollector) -> None:
    if settings.sentinel.silent_for < SHORTEST_WINDOW:
        collector.add(
            ("sentinel", "silentFor"), "expected at least 10s, the least Prefect waits for"
        )
    critical, p1 = settings.tiers.critical, settings.tiers.p1
    for name, tier in (("critical", critical), ("p1", p1)):
        if tier and tier.within and tier.within < SHORTEST_WINDOW:
            collector.add(("tiers", name, "within"), "expected a window of at least 10s")
    every = {key: p.every for key, p in settings.pipelines.items() if p.every}
    if not critical or not critical.within or critical.within < SHORTEST_WINDOW or not every:
        return
    rarest = max(every, key=every.__getitem__)
    failures = critical.consecutive_failures
    needed = (failures - 1) * every[rarest]
    if critical.within <= needed:
        collector.add(
            ("tiers", "critical", "within"),
            f"leaves no room for {failures} failures of {shown(rarest)}, which runs every "
            f"{format_duration(every[rarest])}. Make it longer than {format_duration(needed)}, or "
            "leave it out to have the window follow from `every`",
        )


def _check_escalation(settings: Settings, collector: ProblemCollector) -> None:
    previous = timedelta(0)
    for index, step in _steps(settings, collector):
        path = ("escalation", index, "after")
        if step.after < SHORTEST_WINDOW:
            collector.add(path, "expected at least 10s, the least Prefect waits for")
        elif step.after <= previous:
            collector.add(path, "expected more than the step before it. Order steps by time")
        previous = step.after


def _check_nobody_escalates(settings: Settings, collector: ProblemCollector) -> None:
    for key, pipeline in settings.pipelines.items():
        if pipeline.escalate:
            collector.add(
                ("pipelines", key, "escalate"),
                "no step is configured. Add data-alerts:escalation, or remove escalate",
            )


def _check_pipelines(settings: Settings, collector: ProblemCollector) -> None:
    runs = ((key, (settings.flow_of(key), p.deployment)) for key, p in settings.pipelines.items())
    _unique("pipelines", runs, "the flow and deployment", collector)
    of_any_deployment = {
        settings.flow_of(key): key
        for key, pipeline in settings.pipelines.items()
        if pipeline.escalate and pipeline.deployment is None
    }
    for key, pipeline in settings.pipelines.items():
        other = of_any_deployment.get(settings.flow_of(key))
        if other and pipeline.deployment and not pipeline.escalate:
            collector.add(
                ("pipelines", key, "escalate"),
                f"does not keep {shown(other)} from waking people for it, since that is the same "
                "flow with any deployment. Name a deployment there, or set escalate: true here",
            )


def _unique(
    section: str, entries: Iterable[tuple[str, Hashable]], what: str, collector: ProblemCollector
) -> None:
    owners = defaultdict(list)
    for key, identity in entries:
        owners[identity].append(key)
    for first, *others in owners.values():
        for key in others:
            text = f"has {what} that {shown(first)} has as well. Give one of them another"
            collector.add((section, key), text)


def _not_declared(what: str, section: str, name: str, declared: frozenset[str]) -> str:
    close = get_close_matches(name, sorted(declared), n=1)
    choice = f"Did you mean {shown(close[0])}?" if close else "Declare it there, or name another"
    return f"names a {what} that data-alerts:{section} does not declare. {choice}"
