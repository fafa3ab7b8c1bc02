"""Why a rule does not act on an event: the label that differs, or what has not been counted yet.

Whether it matches is Prefect's own to say; what is said of it is read from the same labels.
"""

from collections.abc import Iterable, Iterator, Sequence

from prefect.server.events.schemas.automations import CompoundTrigger, EventTrigger, Posture
from prefect.server.events.schemas.events import (
    ReceivedEvent,
    RelatedResource,
    Resource,
    ResourceSpecification,
    matches,
)

from alerting.settings.durations import format_duration

_LISTED = 3
_NAME, _ROLE = "prefect.resource.name", "prefect.resource.role"


def reason(trigger: EventTrigger | CompoundTrigger, events: Sequence[ReceivedEvent]) -> str | None:
    """What keeps a trigger from firing at the last of these events; None when nothing does."""
    if isinstance(trigger, CompoundTrigger):
        return _compound(trigger, events)
    return _difference(trigger, events[-1]) or _not_counted(trigger, events)


def _not_counted(trigger: EventTrigger, events: Sequence[ReceivedEvent]) -> str | None:
    """What a trigger that covers the last event still waits for."""
    event = events[-1]
    if trigger.posture is Posture.Proactive:
        return _absence(trigger, event)
    if not trigger.expects(event.event):
        return f"armed, waits for {_any_of(sorted(trigger.expect))}"
    if trigger.after and not any(trigger.starts_after(each.event) for each in events):
        return f"nothing before it was {_any_of(sorted(trigger.after))}"
    counted = sum(_counts(trigger, each, event) for each in events)
    if counted < trigger.threshold:
        return f"counts {counted} of {trigger.threshold} in {format_duration(trigger.within)}"
    return None


def _difference(trigger: EventTrigger, event: ReceivedEvent) -> str | None:
    """What of an event a trigger does not cover; None when it does."""
    if trigger.covers(event):
        return None
    if not trigger.event_pattern.match(event.event):
        return f"event is {event.event}, wanted {_any_of(sorted(trigger.expect | trigger.after))}"
    wanted = _specification(trigger.match)
    if not wanted.includes([event.resource]):
        return _of_label(wanted, event.resource)
    return next(_of_related(trigger, event))


def _of_related(trigger: EventTrigger, event: ReceivedEvent) -> Iterator[str]:
    for wanted in _related_to(trigger):
        if not wanted.includes(event.related):
            yield _of_roles(wanted, event.related)


def _related_to(trigger: EventTrigger) -> list[ResourceSpecification]:
    related = trigger.match_related
    return [_specification(each) for each in (related if isinstance(related, list) else [related])]


def _of_roles(wanted: ResourceSpecification, related: Iterable[RelatedResource]) -> str:
    """What differs on a related resource in the role that is wanted."""
    roles = wanted.get(_ROLE) or []
    candidate = next((each for each in related if each.role in roles), None)
    if candidate is None:
        rest = ((label, values) for label, values in wanted.items() if label != _ROLE)
        text = " and ".join(f"{label} {_any_of(values)}" for label, values in rest)
        return f"has no {' or '.join(roles)}, wanted one with {text}"
    return f"{candidate.role}'s {_of_label(wanted, candidate)}"


def _of_label(wanted: ResourceSpecification, resource: Resource) -> str:
    for label, values in wanted.items():
        value = resource.get(label)
        if not any(matches(each, value) for each in values):
            found = "missing" if value is None else value
            return f"{label} is {found}, wanted {_any_of(values)}"
    raise ValueError("the resource has all labels that are wanted")


def _compound(trigger: CompoundTrigger, events: Sequence[ReceivedEvent]) -> str | None:
    children = [child for child in trigger.triggers if isinstance(child, EventTrigger)]
    left = [child for child in children if not any(child.covers(event) for event in events)]
    if not left:
        return None
    if len(left) == len(children):
        closest = min(left, key=lambda child: len(list(_of_related(child, events[-1]))))
        return reason(closest, events)
    flows = {
        name
        for child in left
        for wanted in _related_to(child)
        if "flow" in (wanted.get(_ROLE) or [])
        for name in wanted.get(_NAME) or []
    }
    counted = f"counts {len(children) - len(left)} of {len(children)} pipelines"
    lasting = f" in {format_duration(trigger.within)}" if trigger.within else ""
    return f"{counted}{lasting}, wanted {_joined(sorted(flows), 'and')} too"


def _absence(trigger: EventTrigger, event: ReceivedEvent) -> str:
    if trigger.starts_after(event.event):
        return f"waits {format_duration(trigger.within)} for {_any_of(sorted(trigger.expect))}"
    return f"has what it expects: it waits for its absence after {_any_of(sorted(trigger.after))}"


def _counts(trigger: EventTrigger, event: ReceivedEvent, last: ReceivedEvent) -> bool:
    """Whether an event counts towards a threshold that the last one may reach."""
    return trigger.covers(event) and (
        event is last or last.occurred - event.occurred < trigger.within
    )


def _specification(
    wanted: ResourceSpecification | dict[str, str | list[str]],
) -> ResourceSpecification:
    if isinstance(wanted, ResourceSpecification):
        return wanted
    return ResourceSpecification.model_validate(wanted)


def _any_of(values: Iterable[str]) -> str:
    return _joined(values, "or")


def _joined(values: Iterable[str], word: str) -> str:
    """The values as a sentence has them, those that negate as such; of many the first few."""
    texts = [f"not {v[1:]}" if v.startswith("!") else v for v in values]
    if len(texts) > _LISTED:
        texts = [*texts[:_LISTED], f"{len(texts) - _LISTED} more"]
    return f" {word} ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]
