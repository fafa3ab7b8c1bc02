"""Checks between entries: names that must exist, names that must differ, windows that must fit."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from alerting.settings.channel_checks import check_channels
from alerting.settings.durations import format_duration
from alerting.settings.models import SecretSource, Settings
from alerting.settings.names_in_use import not_declared, steps, unique
from alerting.settings.problems import ProblemCollector, shown
from alerting.settings.secret_values import variable_of

SHORTEST_WINDOW = timedelta(seconds=10)
SHORTEST_LOSS = timedelta(seconds=90)
"""Prefect's shortest interval between a run's heartbeats is 30 s, and one or two may be lost."""
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
    secrets, channels = (_declared(each, raw, collector) for each in ("secrets", "channels"))
    check_channels(settings, secrets, channels, collector)
    _check_maintenance(settings, collector)
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
    unique("secrets", names, "the AWS name", collector)
    variables = (
        (key, variable_of(key))
        for key, secret in settings.secrets.items()
        if secret.source is SecretSource.ENV
    )
    unique("secrets", variables, "the environment variable", collector)


def _check_maintenance(settings: Settings, collector: ProblemCollector) -> None:
    for index, window in enumerate(settings.maintenance):
        for name in window.pipelines:
            if name not in settings.pipelines:
                names = frozenset(settings.pipelines)
                text = not_declared("pipeline", "pipelines", name, names)
                collector.add(("maintenance", index, "pipelines"), text)


def _check_windows(settings: Settings, collector: ProblemCollector) -> None:
    if settings.sentinel.silent_for < SHORTEST_WINDOW:
        collector.add(
            ("sentinel", "silentFor"), "expected at least 10s, the least Prefect waits for"
        )
    late = settings.tiers.late
    if late and late.lost_after < SHORTEST_LOSS:
        collector.add(
            ("tiers", "late", "lostAfter"),
            "expected at least 90s: a run that is well would be set to crashed between two "
            "heartbeats",
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
    for index, step in steps(settings, collector):
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
    unique("pipelines", runs, "the flow and deployment", collector)
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
