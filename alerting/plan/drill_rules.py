"""The automations that a drill goes through: the same blocks, and messages that say DRILL.

They act on a drill's own events and on nothing else, and no other automation acts on those.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from alerting.plan import triggers
from alerting.plan.delivery import Delivery, is_set_up
from alerting.plan.directory import constant
from alerting.plan.drill_events import DrillPhase
from alerting.plan.incidents import IncidentKeys
from alerting.plan.message import Message
from alerting.plan.names import names_of, ui_url_of
from alerting.plan.published import PublishedDrillRule, PublishedDrills
from alerting.plan.rules import AutomationRule, Tier
from alerting.settings import Settings
from alerting.settings.channels import PagerDutyChannel

DRILL, DRILL_PAGE, DRILL_PAGE_OVER = "drill", "drill-page", "drill-page-over"
_PHASES = {
    DRILL: tuple(DrillPhase),
    DRILL_PAGE: (DrillPhase.BEGAN,),
    DRILL_PAGE_OVER: (DrillPhase.ENDED,),
}
_TITLES = {DRILL: "Drill", DRILL_PAGE: "Drill Page", DRILL_PAGE_OVER: "Drill Page Over"}
_DESCRIPTIONS = {
    DRILL: "The beginning and the end of a drill.",
    DRILL_PAGE: "A drill that pages.",
    DRILL_PAGE_OVER: "Closes what a drill that pages has opened.",
}
# Not an icon as in other messages: every text starts with the word.
_DRILL = "DRILL{{ ' ended' if event.payload.phase == 'ended' else '' }}"
_CLOSE_BY_HAND = " This is no incident. Close it by hand: nothing resolves it."


def drill_rules(settings: Settings, stack: str) -> Iterator[AutomationRule]:
    """One tells the drill channels; one pages in the drills that ask for it, and one closes that.

    A plain PagerDuty block opens an incident each time and resolves none: told of the end, it would
    page again.
    """
    delivery = Delivery(settings)
    if told := delivery.told_of_drills():
        yield _rule(settings, stack, DRILL, told)
    if paged := _pages(settings):
        yield _rule(settings, stack, DRILL_PAGE, paged)
        if resolving := tuple(channel for channel in paged if delivery.resolves(channel)):
            yield _rule(settings, stack, DRILL_PAGE_OVER, resolving)


def published_drills(
    settings: Settings, stack: str, automations: Sequence[AutomationRule]
) -> PublishedDrills:
    """What whoever plays a drill needs to know of its automations."""
    rules = {
        rule.key: PublishedDrillRule(
            name=rule.name,
            channels=tuple(each.channel for each in rule.notifications),
            phases=_PHASES[rule.key],
        )
        for rule in automations
        if rule.tier is Tier.DRILL
    }
    scope = names_of(settings).scope(stack)
    return PublishedDrills(
        scope=scope,
        told=rules.get(DRILL),
        paged=rules.get(DRILL_PAGE),
        closed=rules.get(DRILL_PAGE_OVER),
    )


def _rule(settings: Settings, stack: str, key: str, channels: tuple[str, ...]) -> AutomationRule:
    names, delivery = names_of(settings), Delivery(settings)
    scope = names.scope(stack)
    events = tuple(phase.event(settings.evaluation) for phase in _PHASES[key])
    by_hand = tuple(c for c in channels if delivery.is_pagerduty(c) and not delivery.resolves(c))
    others = tuple(channel for channel in channels if channel not in by_hand)
    message = _message(settings, scope, over=key == DRILL_PAGE_OVER)
    note = replace(message, sentence=message.sentence + _CLOSE_BY_HAND)
    return AutomationRule(
        key=key,
        name=names.automation(_TITLES[key]),
        tier=Tier.DRILL,
        description=_DESCRIPTIONS[key],
        trigger=triggers.drill(events, scope, pages=key != DRILL),
        notifications=(
            *(delivery.notifications(others, message) if others else ()),
            *(delivery.notifications(by_hand, note) if by_hand else ()),
        ),
    )


def _message(settings: Settings, scope: str, *, over: bool) -> Message:
    return Message(
        Tier.DRILL,
        f"{_DRILL}: {{{{ event.payload.subject }}}}",
        f"{_DRILL}: {{{{ event.payload.sentence }}}}",
        (
            ("Stack", "{{ event.payload.stack }}"),
            ("Drill", "{{ event.payload.drill }} at {{ event.payload.time }}"),
            ("Look", f"{constant(ui_url_of(settings))}/events"),
        ),
        IncidentKeys(scope).of("drill/{{ event.payload.drill }}", "alerting", over=over),
    )


def _pages(settings: Settings) -> tuple[str, ...]:
    """PagerDuty's channels, as far as they are set up, in an order of their own."""
    return tuple(
        key
        for key, channel in sorted(settings.channels.items())
        if isinstance(channel, PagerDutyChannel) and is_set_up(settings, key)
    )
