"""Checks between entries: names that must exist, names that must differ, windows that must fit."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr

from alerting.settings.durations import format_duration
from alerting.settings.models import PagerDutyChannel, Settings, TierSettings
from alerting.settings.problems import KeyPath, ProblemCollector
from alerting.settings.secret_values import secret_value_problem

SHORTEST_WINDOW = timedelta(seconds=10)
DEFAULT_WINDOW = timedelta(hours=24)


def check_consistency(
    settings: Settings, raw: Mapping[str, Any], collector: ProblemCollector
) -> None:
    """Add every problem that no single entry shows.

    `raw` tells which names are declared, also those whose entry is itself wrong and therefore
    not in `settings`.
    """
    _check_prefect(settings, collector)
    _check_secrets(settings, collector)
    _check_channels(settings, set(raw.get("secrets") or ()), collector)
    _check_notify(settings, set(raw.get("channels") or ()), collector)
    _check_windows(settings, collector)
    _check_escalation(settings, collector)
    _check_pipelines(settings, collector)


def _check_prefect(settings: Settings, collector: ProblemCollector) -> None:
    prefect = settings.prefect
    if prefect.api_key and prefect.basic_auth_key:
        collector.add(
            ("prefect", "basicAuthKey"),
            "apiKey is given as well. Keep apiKey for Prefect Cloud, or basicAuthKey for a server",
        )
    if prefect.is_cloud and not prefect.api_key:
        collector.add(("prefect", "apiKey"), "is missing. Prefect Cloud needs an API key")


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
    _unique(
        "secrets", ((key, s.name) for key, s in settings.secrets.items()), "the AWS name", collector
    )
    variables = ((key, key.replace("-", "_").upper()) for key in settings.secrets)
    _unique("secrets", variables, "the environment variable", collector)


def _check_channels(settings: Settings, secrets: set[str], collector: ProblemCollector) -> None:
    for key, channel in settings.channels.items():
        references = [("secret", channel.secret)]
        if isinstance(channel, PagerDutyChannel):
            references.append(("apiKeySecret", channel.api_key_secret))
        for field, name in references:
            path = ("channels", key, field)
            if name is None:
                continue
            if name not in secrets:
                collector.add(path, _not_declared("secret", "secrets", name, secrets))
            elif problem := _value_problem(settings, channel.kind, name):
                collector.add(("secrets", name, "value"), problem)
    blocks = ((key, (c.kind, c.block)) for key, c in settings.channels.items())
    _unique("channels", blocks, "the block", collector)


def _value_problem(settings: Settings, kind: str, secret: str) -> str | None:
    declared = settings.secrets.get(secret)
    if declared is None or not isinstance(declared.value, SecretStr):
        return None
    return secret_value_problem(kind, declared.value.get_secret_value())


def _check_notify(settings: Settings, channels: set[str], collector: ProblemCollector) -> None:
    lists: list[tuple[KeyPath, tuple[str, ...]]] = [
        (("escalation", index, "notify"), step.notify)
        for index, step in enumerate(settings.escalation)
    ]
    for name in type(settings.tiers).model_fields:
        tier: TierSettings | None = getattr(settings.tiers, name)
        if tier:
            lists.append((("tiers", name, "notify"), tier.notify))
    warning = settings.tiers.warning.notify
    known = [settings.channels[name] for name in warning if name in settings.channels]
    if known and not any(channel.secret for channel in known):
        collector.add(
            ("tiers", "warning", "notify"),
            "reaches nobody: none of its channels has a secret. Name a Slack channel",
        )
    for path, notify in lists:
        for name in notify:
            if name not in channels:
                collector.add(path, _not_declared("channel", "channels", name, channels))
        if len(set(notify)) < len(notify):
            collector.add(path, "names a channel twice, which would tell it twice. Name it once")


def _check_windows(settings: Settings, collector: ProblemCollector) -> None:
    critical, p1 = settings.tiers.critical, settings.tiers.p1
    for name, tier in (("critical", critical), ("p1", p1)):
        if tier and tier.within and tier.within < SHORTEST_WINDOW:
            collector.add(("tiers", name, "within"), "expected a window of at least 10s")
    if critical is None or critical.within is None:
        return
    needed = critical.consecutive_failures
    for key, pipeline in settings.pipelines.items():
        if pipeline.every and critical.within <= (needed - 1) * pipeline.every:
            collector.add(
                ("tiers", "critical", "within"),
                f"leaves no room for {needed} failures of {key}, which runs every "
                f"{format_duration(pipeline.every)}. Make it longer than "
                f"{format_duration((needed - 1) * pipeline.every)}, or leave it out to have the "
                "window follow from `every`",
            )


def _check_escalation(settings: Settings, collector: ProblemCollector) -> None:
    previous = timedelta(0)
    for index, step in enumerate(settings.escalation):
        path = ("escalation", index, "after")
        if step.after < SHORTEST_WINDOW:
            collector.add(path, "expected at least 10s, the least Prefect waits for")
        elif step.after <= previous:
            collector.add(path, "expected more than the step before it. Order steps by time")
        previous = step.after
    if settings.escalation and settings.pipelines:
        return
    for key, pipeline in settings.pipelines.items():
        if pipeline.escalate:
            collector.add(
                ("pipelines", key, "escalate"),
                "no step is configured. Add data-alerts:escalation, or remove escalate",
            )


def _check_pipelines(settings: Settings, collector: ProblemCollector) -> None:
    runs = ((key, (settings.flow_of(key), p.deployment)) for key, p in settings.pipelines.items())
    _unique("pipelines", runs, "the flow and deployment", collector)


def _unique(
    section: str, entries: Iterable[tuple[str, Hashable]], what: str, collector: ProblemCollector
) -> None:
    owners = defaultdict(list)
    for key, identity in entries:
        owners[identity].append(key)
    for keys in owners.values():
        for key in keys[1:]:
            collector.add(
                (section, key), f"has {what} that {keys[0]} has as well. Give one of them another"
            )


def _not_declared(what: str, section: str, name: str, declared: set[str]) -> str:
    close = get_close_matches(name, sorted(declared), n=1)
    choice = f"Did you mean {close[0]}?" if close else "Declare it there, or name another"
    return f"names a {what} that data-alerts:{section} does not declare. {choice}"
