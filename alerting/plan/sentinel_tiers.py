"""The automations of a stack whose tiers the sentinel judges.

Each matches a label of the sentinel's announcements and names no pipeline: which pipelines there
are is the sentinel's business. What needs no history stays with Prefect's own triggers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from alerting.plan import triggers
from alerting.plan.delivery import Delivery
from alerting.plan.messages import Message
from alerting.plan.names import names_of
from alerting.plan.rules import AutomationRule, EventTrigger, Tier
from alerting.plan.tiers import TITLES, TierPlanner
from alerting.plan.verdict_messages import VerdictMessages
from alerting.plan.verdicts import VerdictKind
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
        self._messages = VerdictMessages(settings)
        self._delivery = Delivery(settings)
        self._native = TierPlanner(settings)

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
        tiers, messages = self._settings.tiers, self._messages
        yield self._rule(
            "warning",
            f"One message for each failed run with the tag {self._settings.tag}.",
            triggers.verdict(VerdictKind.FAILURE, self._scope),
            messages.failure(),
            tiers.warning.notify,
        )
        yield self._rule(
            "recovery",
            "The first success of a pipeline that had failed.",
            triggers.verdict(VerdictKind.RECOVERY, self._scope),
            messages.recovery(),
            self._delivery.told_of_recovery(),
        )
        if tiers.critical:
            failures = tiers.critical.consecutive_failures
            yield self._rule(
                "critical",
                f"{failures} consecutive failures of one pipeline, and every further {failures}.",
                triggers.verdict(VerdictKind.STREAK, self._scope),
                messages.streak(),
                tiers.critical.notify,
            )
        yield from self._escalation()
        if tiers.p1 and len(self._settings.pipelines) > 1:
            yield self._rule(
                "p1-all-down",
                "The last run of every listed pipeline failed.",
                triggers.verdict(VerdictKind.ALL_DOWN, self._scope),
                messages.all_down(),
                tiers.p1.notify,
            )

    def _escalation(self) -> Iterator[AutomationRule]:
        if not any(pipeline.escalate for pipeline in self._settings.pipelines.values()):
            return
        for step in self._settings.escalation:
            after = format_duration(step.after)
            message = self._messages.step(step.to, step.after)
            yield AutomationRule(
                key=f"escalation-{after}",
                name=self._names.automation(f"{TITLES['escalation']} ({after})"),
                tier=Tier.ESCALATION,
                description=f"An outage of {after}, for the {step.to}.",
                trigger=triggers.verdict(VerdictKind.ESCALATION, self._scope, step=after),
                notifications=self._delivery.notifications(step.notify, message, waking=step.to),
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
                self._delivery.told_of_recovery(), self._messages.heard_again()
            ),
            pauses=tuple(rule.key for rule in standby),
            created_after=(watch.key,),
        )

    def _back_name(self) -> str:
        return self._names.automation("Sentinel Back")

    def _rule(
        self,
        key: str,
        description: str,
        trigger: EventTrigger,
        message: Message,
        notify: tuple[str, ...],
    ) -> AutomationRule:
        return AutomationRule(
            key=key,
            name=self._names.automation(TITLES[key]),
            tier=message.tier,
            description=description,
            trigger=trigger,
            notifications=self._delivery.notifications(notify, message),
        )
