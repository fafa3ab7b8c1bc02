"""The automations that a drill goes through: the same blocks, and messages that say DRILL.

They act on a drill's own events and on nothing else, and no other automation acts on those.
"""

from collections.abc import Iterator, Sequence

from alerting.plan import triggers
from alerting.plan.delivery import Delivery, is_set_up
from alerting.plan.drill_events import DrillPhase
from alerting.plan.messages import Message, constant
from alerting.plan.names import names_of, ui_url_of
from alerting.plan.published import PublishedDrillRule, PublishedDrills
from alerting.plan.rules import AutomationRule, Tier
from alerting.settings import Settings
from alerting.settings.models import PagerDutyChannel

DRILL, DRILL_PAGE = "drill", "drill-page"
_PHASES = {
    DRILL: tuple(DrillPhase),
    # A PagerDuty block opens an incident each time and resolves none: told of the end, it would
    # page again. A channel that can resolve hears of both.
    DRILL_PAGE: (DrillPhase.BEGAN,),
}
# Not an icon as in other messages: every text starts with the word.
_DRILL = "DRILL{{ ' ended' if event.payload.phase == 'ended' else '' }}"
_CLOSE_BY_HAND = " This is no incident. Close it by hand: nothing resolves it."


def drill_rules(settings: Settings, stack: str) -> Iterator[AutomationRule]:
    """At most two: one tells the drill channels, and one pages in the drills that ask for it."""
    delivery = Delivery(settings)
    if told := delivery.told_of_drills():
        yield _rule(settings, stack, DRILL, told)
    if paged := _pages(settings):
        yield _rule(settings, stack, DRILL_PAGE, paged)


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
    return PublishedDrills(scope=scope, told=rules.get(DRILL), paged=rules.get(DRILL_PAGE))


def _rule(settings: Settings, stack: str, key: str, channels: tuple[str, ...]) -> AutomationRule:
    names, pages = names_of(settings), key == DRILL_PAGE
    events = tuple(phase.event(settings.evaluation) for phase in _PHASES[key])
    return AutomationRule(
        key=key,
        name=names.automation("Drill Page" if pages else "Drill"),
        tier=Tier.DRILL,
        description="A drill that pages." if pages else "The beginning and the end of a drill.",
        trigger=triggers.drill(events, names.scope(stack), pages=pages),
        notifications=Delivery(settings).notifications(channels, _message(settings, pages=pages)),
    )


def _message(settings: Settings, *, pages: bool) -> Message:
    return Message(
        Tier.DRILL,
        f"{_DRILL}: {{{{ event.payload.subject }}}}",
        f"{_DRILL}: {{{{ event.payload.sentence }}}}{_CLOSE_BY_HAND if pages else ''}",
        (
            ("Stack", "{{ event.payload.stack }}"),
            ("Drill", "{{ event.payload.drill }} at {{ event.payload.time }}"),
            ("Look", f"{constant(ui_url_of(settings))}/events"),
        ),
    )


def _pages(settings: Settings) -> tuple[str, ...]:
    """PagerDuty's channels, as far as they are set up, in an order of their own."""
    return tuple(
        key
        for key, channel in sorted(settings.channels.items())
        if isinstance(channel, PagerDutyChannel) and is_set_up(settings, key)
    )
