"""Checks of channels, and of who is told through them."""

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import SecretStr

from alerting.settings.channels import (
    Channel,
    Incidents,
    PagerDutyChannel,
    SlackChannel,
    SlackFormat,
    WebhookChannel,
)
from alerting.settings.models import Settings
from alerting.settings.names_in_use import not_declared, steps, unique
from alerting.settings.problems import KeyPath, ProblemCollector, shown
from alerting.settings.secret_values import secret_value_problem
from alerting.settings.tiers import TierSettings

RESERVED_CHANNEL = "hooks"
"""The Prefect block with the settings of flow hooks is listed among the channels' blocks."""


def check_channels(
    settings: Settings,
    secrets: frozenset[str] | None,
    channels: frozenset[str] | None,
    collector: ProblemCollector,
) -> None:
    """Add every problem of channels; the names are those declared, None where that is unknown."""
    _check_channels(settings, secrets, collector)
    _check_notify(settings, channels, collector)
    _check_drill(settings, collector)
    _check_owners(settings, collector)
    _check_quiet(settings, collector)
    _check_reach(settings, collector)


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
                collector.add(path, not_declared("secret", "secrets", name, secrets))
            elif kinds.setdefault(name, channel.kind) != channel.kind:
                collector.add(path, "is used by another kind of channel. Give each its own secret")
            elif problem := _value_problem(settings, channel.kind, name):
                collector.add(("secrets", name, "value"), problem)
    blocks = ((key, (c.kind, c.block)) for key, c in settings.channels.items())
    unique("channels", blocks, "the block", collector)
    # Prefect has one name for all custom webhooks, and these have one beside their own block.
    webhooks = ((key, c.block) for key, c in settings.channels.items() if _has_webhook(c))
    unique("channels", webhooks, "the block of a custom webhook", collector)
    for key in settings.channels:
        for suffix in ("-incidents", "-rich"):
            if key.endswith(suffix) and key.removesuffix(suffix) in settings.channels:
                text = f"is a name that {key.removesuffix(suffix)} needs. Choose another"
                collector.add(("channels", key), text)


def _has_webhook(channel: Channel) -> bool:
    match channel:
        case SlackChannel():
            return channel.format is SlackFormat.RICH
        case PagerDutyChannel():
            return channel.incidents is Incidents.DEDUPLICATED
    return isinstance(channel, WebhookChannel)


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
                collector.add(path, not_declared("channel", "channels", name, channels))
        if len(set(notify)) < len(notify):
            collector.add(path, "names a channel twice, which would tell it twice. Name it once")


def _notify_lists(
    settings: Settings, collector: ProblemCollector
) -> list[tuple[KeyPath, tuple[str, ...]]]:
    lists: list[tuple[KeyPath, tuple[str, ...]]] = [
        (("escalation", index, "notify"), step.notify) for index, step in steps(settings, collector)
    ]
    for name in type(settings.tiers).model_fields:
        tier: TierSettings | None = getattr(settings.tiers, name)
        if tier:
            lists.append((("tiers", name, "notify"), tier.notify))
    if settings.sentinel.notify:
        lists.append((("sentinel", "notify"), settings.sentinel.notify))
    if settings.drill.notify:
        lists.append((("drill", "notify"), settings.drill.notify))
    if settings.daily_summary:
        lists.append((("dailySummary", "notify"), settings.daily_summary.notify))
    return [*lists, *_owners_lists(settings)]


def _owners_lists(settings: Settings) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    for owner, own in settings.owners.items():
        for kind, name in (("slack", own.slack), ("pagerduty", own.pagerduty)):
            if name:
                yield ("owners", owner, kind), (name,)


def _check_owners(settings: Settings, collector: ProblemCollector) -> None:
    owners = {pipeline.owner for pipeline in settings.pipelines.values()}
    owners.add(settings.default_owner)
    for owner, own in settings.owners.items():
        path = ("owners", owner)
        if owner not in owners:
            close = get_close_matches(owner, sorted(owners), n=1)
            hint = f"Did you mean {shown(close[0])}?" if close else "Name it there, or remove this"
            collector.add(path, f"owns no pipeline. {hint}")
        if own.slack is None and own.pagerduty is None:
            collector.add(path, "names no channel. Add slack or pagerduty, or remove it")
        for field, name, pages in (("slack", own.slack, False), ("pagerduty", own.pagerduty, True)):
            channel = settings.channels.get(name or "")
            if channel and isinstance(channel, PagerDutyChannel) is not pages:
                collector.add((*path, field), f"is of kind {channel.kind}. Name another channel")


def _check_quiet(settings: Settings, collector: ProblemCollector) -> None:
    """What is no emergency wakes nobody."""
    summary, success = settings.daily_summary, settings.tiers.success
    for path, told in ((("dailySummary",), summary), (("tiers", "success"), success)):
        for name in told.notify if told else ():
            if isinstance(settings.channels.get(name), PagerDutyChannel):
                text = f"would page {shown(name)} for good news. Name a channel that wakes nobody"
                collector.add((*path, "notify"), text)


def _check_drill(settings: Settings, collector: ProblemCollector) -> None:
    told = [settings.channels.get(name) for name in settings.drill.notify or ()]
    if any(isinstance(channel, PagerDutyChannel) for channel in told):
        collector.add(
            ("drill", "notify"),
            "would page with every drill. Name channels that wake nobody; `alertctl drill --page` "
            "pages as well",
        )


def _check_reach(settings: Settings, collector: ProblemCollector) -> None:
    channels, tiers = settings.channels, settings.tiers
    warned = [channels[name] for name in tiers.warning.notify if name in channels]
    if warned and not any(channel.secret for channel in warned):
        collector.add(
            ("tiers", "warning", "notify"),
            "reaches nobody: none of its channels has a secret. Name a Slack channel",
        )
