"""The automations of a stack whose tiers the sentinel judges.

Each matches a label of the sentinel's announcements and names no pipeline: which pipelines there
are, and what is said of them, is the sentinel's business. See `occasions`. What needs no history
stays with Prefect's own triggers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from alerting.plan import triggers
from alerting.plan.delivery import Delivery
from alerting.plan.messages import Messages
from alerting.plan.names import names_of
from alerting.plan.occasions import occasions
from alerting.plan.rules import AutomationRule, Tier
from alerting.plan.tiers import TierPlanner
from alerting.settings import Settings
from alerting.settings.durations import format_duration

SENTINEL = "Sentinel"
STANDBY_PREFIX = "standby-"
WATCH, BACK = "sentinel-silent", "sentinel-back"


class SentinelTierPlanner:
    """Turns a stack's tiers into automations that act on verdicts."""

    def __init__(self, settings: Settings, stack: str) -> None:
        """Prepare what all tiers share: names, messages, who is reached."""
        self._settings = settings
        self._names = names_of(settings)
        self._scope = self._names.scope(stack)
        self._messages = Messages(settings, stack)
        self._delivery = Delivery(settings)
        self._native = TierPlanner(settings, stack)

    def automations(self) -> Iterator[AutomationRule]:
        """Every automation of the stack; a rule follows those that it refers to."""
        yield from self._verdicts()
        yield from self._native.stateless()
        standby = tuple(self.standby())
        yield from standby
        watch = self._watch(standby)
        yield watch
        yield self._back(standby, watch)

    def standby(self) -> Iterator[AutomationRule]:
        """The native rules that stand in for a silent sentinel."""
        for rule in self._native.judging():
            yield replace(
                rule,
                key=f"{STANDBY_PREFIX}{rule.key}",
                name=f"{rule.name} (standby)",
                description=f"{rule.description} In place of a silent sentinel.",
                standby=True,
            )

    def _verdicts(self) -> Iterator[AutomationRule]:
        for occasion in occasions(self._settings):
            yield AutomationRule(
                key=occasion.key,
                name=self._names.automation(occasion.title),
                tier=occasion.tier,
                description=occasion.description,
                trigger=triggers.verdicts(
                    occasion.kinds, self._scope, step=occasion.label, routes=occasion.routes
                ),
                notifications=self._delivery.announced(occasion.notify),
            )

    def _watch(self, standby: Sequence[AutomationRule]) -> AutomationRule:
        lasting = self._settings.sentinel.silent_for
        return AutomationRule(
            key=WATCH,
            name=self._names.automation("Sentinel Silent"),
            tier=Tier.ALERTING,
            description=f"No heartbeat for {format_duration(lasting)}: tells on-call, and has "
            "Prefect's own triggers take over.",
            trigger=triggers.silent(
                self._scope, self._names.automation(SENTINEL), self._back_name(), lasting
            ),
            notifications=self._delivery.notifications(
                self._delivery.told_of_silence(), self._messages.silent()
            ),
            resumes=tuple(rule.key for rule in standby),
        )

    def _back(self, standby: Sequence[AutomationRule], watch: AutomationRule) -> AutomationRule:
        """Pauses the standby again, and by being deployed starts the watch.

        The description changes with what a deployment may set back: the standby, which it pauses,
        and the watch, whose timer it clears.
        """
        defined = hashlib.sha256(repr((watch, *standby)).encode()).hexdigest()[:8]
        return AutomationRule(
            key=BACK,
            name=self._back_name(),
            tier=Tier.ALERTING,
            description="A heartbeat while Prefect's own triggers alert: pauses them. "
            f"Deploying this starts the watch ({defined}).",
            trigger=triggers.heard_again(self._scope),
            notifications=self._delivery.notifications(
                (*self._delivery.told_of_recovery(), *self._closing()), self._messages.heard_again()
            ),
            pauses=tuple(rule.key for rule in standby),
            created_after=(watch.key,),
        )

    def _closing(self) -> tuple[str, ...]:
        """Who was paged that the alerting is down, and has an incident to be closed."""
        told = self._delivery.told_of_recovery()
        paged = self._delivery.told_of_silence()
        return tuple(c for c in paged if self._delivery.closes(c) and c not in told)

    def _back_name(self) -> str:
        return self._names.automation("Sentinel Back")
