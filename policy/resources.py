"""Resources as the engine shows them to a policy, read in the plan's words."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pulumi_policy import PolicyResource
from pulumi_policy.proxy import UnknownValueError

from alerting.plan import CompoundTrigger, EventTrigger, Posture
from alerting.plan.published import PublishedSettings
from alerting.plan.rules import Labels
from alerting.plan.verdicts import VerdictKind
from alerting.settings import Environment
from alerting.settings.channel_checks import RESERVED_CHANNEL

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type of resource
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105 - likewise
BLOCK = "prefect:index/block:Block"
AUTOMATION = "prefect:index/automation:Automation"
PREFECT = "pulumi:providers:prefect"

PAGER = "pager-duty-webhook"
"""The type of the blocks that open an incident with each message."""
_WEBHOOK, _TO_PAGERDUTY, _INCIDENTS = "custom-webhook", '{"routing_key"', "-incidents"
_KEYED = ('"dedup_key": ', "event.payload.messages.incident.body")
_CLOSING = '"event_action": "resolve"'
_CLOSED = frozenset(
    kind.event
    for kind in (
        VerdictKind.RECOVERY,
        VerdictKind.FRESH,
        VerdictKind.RESOLVED,
        VerdictKind.NOT_ALL_DOWN,
    )
)

Properties = Mapping[str, Any]


def known(properties: Properties, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any property
    """A property, or the default where it is not set or will be known only once it is deployed.

    The SDK's own way would turn a policy that meets an unknown value into a remark.
    """
    try:
        value = properties[name]
    except (KeyError, UnknownValueError):
        return default
    return default if value is None else value


def stack_name(urn: str) -> str:
    """The stack that a resource is of: a policy is told by no other way that always works."""
    return urn.partition("::")[0].removeprefix("urn:pulumi:")


def trigger_of(automation: Properties) -> EventTrigger | CompoundTrigger | None:
    """An automation's trigger, None when it is of a kind that the plan does not know."""
    trigger = known(automation, "trigger", {})
    if event := known(trigger, "event"):
        return _event(event)
    if compound := known(trigger, "compound"):
        children = [known(child, "event") for child in known(compound, "triggers", ())]
        if children and all(children):
            return CompoundTrigger(tuple(map(_event, children)), _window(compound))
    return None


def json_of(properties: Properties, name: str) -> Any:  # noqa: ANN401 - any document
    """The document in a property that holds JSON, None where there is none to be read."""
    try:
        return json.loads(known(properties, name, ""))
    except ValueError:
        return None


def of_type(resources: Iterable[PolicyResource], token: str) -> list[PolicyResource]:
    """The resources of a type."""
    return [resource for resource in resources if resource.resource_type == token]


def published_of(resources: Iterable[PolicyResource]) -> PublishedSettings | None:
    """The settings that the stack publishes, None when it publishes none."""
    for block in of_type(resources, BLOCK):
        if block.name == RESERVED_CHANNEL and (data := json_of(block.props, "data")):
            return PublishedSettings.unpacked(data["value"])
    return None


def is_production(published: PublishedSettings | None) -> bool:
    """Whether a stack is guarded as production is; one that does not say is."""
    return published is None or published.environment in {None, Environment.PROD}


def pagers_of(automation: PolicyResource) -> list[str]:
    """The pagers that an automation rings, each by the name that its blocks share in Prefect.

    Told by what its actions depend on: the id of a block that is yet to be made is not known.
    What closes an incident rings nobody, unless it is by a block that can only open one.
    """
    opens = not _closes(automation)
    rung = [each for each in _told(automation) if is_pager(each) and (opens or _is_plain(each))]
    return sorted({pager_name(block) for block in rung})


def unkeyed_pages(automation: PolicyResource) -> int:
    """Through how many webhooks it pages without saying which incident it is."""
    webhooks = [each for each in _told(automation) if is_pager(each) and not _is_plain(each)]
    keyed = [text for text in _texts(automation) if any(sign in text for sign in _KEYED)]
    return max(len(webhooks) - len(keyed), 0)


def is_pager(block: PolicyResource) -> bool:
    """Whether a block wakes people: PagerDuty's own, or a webhook to its Events API."""
    if _is_plain(block):
        return True
    if known(block.props, "typeSlug") != _WEBHOOK:
        return False
    data = json_of(block.props, "data")
    if data is None:  # of secrets that are yet to be made
        return block.name.endswith(_INCIDENTS)
    return str(data.get("form_data", "")).startswith(_TO_PAGERDUTY)


def pager_name(block: PolicyResource) -> str:
    """What the blocks of one pager have in common."""
    return str(known(block.props, "name", block.name))


def _is_plain(block: PolicyResource) -> bool:
    return bool(known(block.props, "typeSlug") == PAGER)


def _told(automation: PolicyResource) -> list[PolicyResource]:
    return of_type(automation.property_dependencies.get("actions", ()), BLOCK)


def _closes(automation: PolicyResource) -> bool:
    """Whether it says that something is over."""
    trigger = trigger_of(automation.props)
    if isinstance(trigger, EventTrigger) and trigger.expect and _CLOSED.issuperset(trigger.expect):
        return True
    return any(_CLOSING in text for text in _texts(automation))


def _texts(automation: PolicyResource) -> list[str]:
    return [str(known(each, "body", "")) for each in known(automation.props, "actions", ())]


def is_enabled(automation: PolicyResource) -> bool:
    """Whether an automation acts."""
    return bool(known(automation.props, "enabled", default=True))


def _event(event: Properties) -> EventTrigger:
    related = json_of(event, "matchRelated") or []
    return EventTrigger(
        expect=tuple(known(event, "expects", ())),
        match=_labels(json_of(event, "match") or {}),
        match_related=tuple(map(_labels, related if isinstance(related, list) else [related])),
        for_each=tuple(known(event, "forEaches", ())),
        after=tuple(known(event, "afters", ())),
        posture=Posture(known(event, "posture", Posture.REACTIVE)),
        threshold=int(known(event, "threshold", 1)),
        within=_window(event),
    )


def _window(trigger: Properties) -> timedelta:
    return timedelta(seconds=known(trigger, "within", 0))


def _labels(document: Mapping[str, Any]) -> Labels:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in document.items()}
