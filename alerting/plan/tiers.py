"""The automations of each tier. Their number does not grow with the number of pipelines."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from alerting.plan import triggers
from alerting.plan.delivery import Delivery
from alerting.plan.message import Message
from alerting.plan.messages import Messages
from alerting.plan.names import names_of
from alerting.plan.rules import AutomationRule, CompoundTrigger, EventTrigger, Labels, Tier
from alerting.settings import Settings
from alerting.settings.consistency import DEFAULT_WINDOW
from alerting.settings.durations import format_duration
from alerting.settings.pipelines import PipelineSettings, longest_interval
from alerting.settings.tiers import LateSettings

TITLES = {
    "warning": "Pipeline Failure Alert",
    "recovery": "Pipeline Recovery",
    "late": "Pipeline Late Start",
    "critical": "Pipeline Critical Alert",
    "escalation": "Pipeline Escalation",
    "p1-all-down": "Pipelines All Down",
    "p1-work-pool": "Work Pool Not Ready",
    "work-pool-ready": "Work Pool Ready",
    "lost": "Pipeline Lost",
}
"""What automations are called, whoever judges."""
MOST_WATCHED = 100


class TierPlanner:
    """Turns a stack's tiers into automations."""

    def __init__(self, settings: Settings, stack: str) -> None:
        """Prepare what all tiers share: names, messages, who is reached."""
        self._settings = settings
        self._names = names_of(settings)
        self._messages = Messages(settings, stack)
        self._delivery = Delivery(settings)
        self._tagged = triggers.tagged(settings.tag)

    def automations(self) -> Iterator[AutomationRule]:
        """Every automation of the stack."""
        yield from self.judging()
        yield from self.stateless()

    def judging(self) -> Iterator[AutomationRule]:
        """The tiers that take a judgement, as far as triggers can give one."""
        yield self._warning()
        yield self._recovery()
        yield from self._critical()
        yield from self._escalation()
        yield from self._all_down()
        yield self._late()

    def stateless(self) -> Iterator[AutomationRule]:
        """What a trigger sees as well as anything else."""
        yield self._lost()
        yield from self._work_pool()

    def _warning(self) -> AutomationRule:
        return self._rule(
            "warning",
            TITLES["warning"],
            f"One message for each failed run with the tag {self._settings.tag}.",
            triggers.one_failure((self._tagged,)),
            self._messages.failure(),
            self._settings.tiers.warning.notify,
        )

    def _recovery(self) -> AutomationRule:
        return self._rule(
            "recovery",
            TITLES["recovery"],
            "The first success of a flow that had failed.",
            triggers.first_success_after_failure((self._tagged,), self._recovery_window()),
            self._messages.recovery(),
            (*self._delivery.told_of_recovery(), *self._closing()),
        )

    def _late(self) -> AutomationRule:
        tiers = self._settings.tiers
        return self._rule(
            "late",
            TITLES["late"],
            "A scheduled run that did not start.",
            triggers.late((self._tagged,)),
            self._messages.late(),
            tiers.late.notify if tiers.late else self._delivery.warned_quietly(),
        )

    def _closing(self) -> tuple[str, ...]:
        """Who was paged for a pipeline, and has an incident to be closed."""
        tiers, delivery = self._settings.tiers, self._delivery
        lists = [tiers.warning.notify, tiers.critical.notify if tiers.critical else ()]
        lists += [step.notify for step in self._settings.escalation]
        paged = dict.fromkeys(channel for notify in lists for channel in notify)
        told = delivery.told_of_recovery()
        return tuple(c for c in paged if delivery.closes(c) and c not in told)

    def _lost(self) -> AutomationRule:
        late = self._settings.tiers.late
        after = late.lost_after if late else LateSettings.model_fields["lost_after"].default
        return AutomationRule(
            key="lost",
            name=self._names.automation(TITLES["lost"]),
            tier=Tier.LATE,
            description=f"A run without a heartbeat for {format_duration(after)}: it counts as "
            "crashed.",
            trigger=triggers.lost((self._tagged,), after),
            crashes=f"No heartbeat for {format_duration(after)}: killed, or out of memory",
        )

    def _critical(self) -> Iterator[AutomationRule]:
        """One automation a window: a daily load cannot fail three times within 24 hours."""
        critical = self._settings.tiers.critical
        if critical is None:
            return
        default = critical.within or DEFAULT_WINDOW
        others: defaultdict[timedelta, list[str]] = defaultdict(list)
        for key, pipeline in self._settings.pipelines.items():
            needed = critical.consecutive_failures * (pipeline.every or timedelta(0))
            if critical.within is None and needed > default:
                others[needed].append(self._settings.flow_of(key))
        # A flow that several pipelines run counts once, in its longest window.
        claimed: set[str] = set()
        for window in sorted(others, reverse=True):
            flows = sorted(set(others[window]) - claimed)
            claimed.update(flows)
            if flows:
                related = (self._tagged, triggers.named("flow", flows))
                yield self._streak(window, related, f"-{format_duration(window)}")
        yield self._streak(default, (self._tagged, *triggers.not_named("flow", sorted(claimed))))

    def _streak(
        self, window: timedelta, related: tuple[Labels, ...], suffix: str = ""
    ) -> AutomationRule:
        critical = self._settings.tiers.critical
        if critical is None:
            raise AssertionError("only called where the tier is configured")
        failures = critical.consecutive_failures
        title = TITLES["critical"] + (f" ({suffix[1:]})" if suffix else "")
        return self._rule(
            f"critical{suffix}",
            title,
            f"{failures} failures of one flow within {format_duration(window)}.",
            triggers.failures_in_window(related, failures, window),
            self._messages.streak(failures, window),
            critical.notify,
        )

    def _escalation(self) -> Iterator[AutomationRule]:
        """One automation a step, and one more for pipelines that name their deployment."""
        chosen = {k: p for k, p in self._settings.pipelines.items() if p.escalate}
        of_flows = {k: p for k, p in chosen.items() if p.deployment is None}
        # A flow that escalates with any deployment must not escalate twice with one of them.
        flows = {self._settings.flow_of(key) for key in of_flows}
        of_deployments = {k: p for k, p in chosen.items() if self._settings.flow_of(k) not in flows}
        for suffix, pipelines, for_each in (
            ("", of_flows, triggers.EACH_FLOW),
            ("-deployments", of_deployments, triggers.EACH_DEPLOYMENT),
        ):
            if pipelines:
                related = self._matching(pipelines)
                for step in self._settings.escalation:
                    after = format_duration(step.after)
                    label = f"{after}, deployments" if suffix else after
                    yield self._rule(
                        f"escalation-{after}{suffix}",
                        f"{TITLES['escalation']} ({label})",
                        f"A failure without a success in {after}, for the {step.to}.",
                        triggers.unmended(related, step.after, for_each),
                        self._messages.step(step.to, step.after),
                        step.notify,
                        waking=step.to,
                    )

    def _matching(self, pipelines: dict[str, PipelineSettings]) -> tuple[Labels, ...]:
        runs = [(self._settings.flow_of(key), p.deployment) for key, p in pipelines.items()]
        return (self._tagged, *triggers.of_pipelines(runs))

    def _all_down(self) -> Iterator[AutomationRule]:
        p1, pipelines = self._settings.tiers.p1, self._settings.pipelines
        if p1 is None:
            return
        watched = _most_frequent(pipelines)
        # With a single pipeline every failure would be an outage.
        if len(watched) > 1:
            within = p1.within or longest_interval(watched, DEFAULT_WINDOW)
            each = [self._matching({key: pipeline}) for key, pipeline in watched.items()]
            yield self._rule(
                "p1-all-down",
                TITLES["p1-all-down"],
                f"Each of {len(watched)} pipelines failed within {format_duration(within)}.",
                triggers.all_failed(each, within),
                self._messages.all_down(list(watched)),
                p1.notify,
            )

    def _work_pool(self) -> Iterator[AutomationRule]:
        p1 = self._settings.tiers.p1
        if p1 is None:
            return
        yield self._rule(
            "p1-work-pool",
            TITLES["p1-work-pool"],
            "A work pool without a worker for "
            f"{format_duration(triggers.WORKER_GAP)}: none of its runs start.",
            triggers.work_pool_not_ready(p1.work_pools),
            self._messages.work_pool(),
            p1.notify,
        )
        resolving = tuple(c for c in p1.notify if self._delivery.closes(c))
        if resolving:
            yield self._rule(
                "work-pool-ready",
                TITLES["work-pool-ready"],
                "Closes the incident of a work pool that has a worker again.",
                triggers.work_pool_ready(p1.work_pools),
                self._messages.work_pool(over=True),
                resolving,
            )

    def _recovery_window(self) -> timedelta:
        """Long enough for the run after next of the pipeline that runs least often."""
        twice = 2 * longest_interval(self._settings.pipelines, DEFAULT_WINDOW)
        return max(triggers.RECOVERY_WINDOW, twice)

    def _rule(  # noqa: PLR0913 - the parts of a rule
        self,
        key: str,
        title: str,
        description: str,
        trigger: EventTrigger | CompoundTrigger,
        message: Message,
        notify: tuple[str, ...],
        *,
        waking: str | None = None,
    ) -> AutomationRule:
        return AutomationRule(
            key=key,
            name=self._names.automation(title),
            tier=message.tier,
            description=description,
            trigger=trigger,
            notifications=self._delivery.notifications(notify, message, waking=waking),
        )


def _most_frequent(pipelines: dict[str, PipelineSettings]) -> dict[str, PipelineSettings]:
    """Pipelines that tell an outage: all, or of very many those that run most often.

    Each is a trigger of its own, which the server evaluates for each event and the engine carries
    in its state; and an outage shows first where runs are frequent.
    """
    by_frequency = sorted(pipelines, key=lambda key: pipelines[key].every or timedelta.max)
    chosen = set(by_frequency[:MOST_WATCHED])
    return {key: pipeline for key, pipeline in pipelines.items() if key in chosen}


def warning_name(settings: Settings) -> str:
    """Name of the automation that announces each failure."""
    return names_of(settings).automation(TITLES["warning"])
