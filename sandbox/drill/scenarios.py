"""What a drill plays, and who must hear of it. Derived from the plan that is deployed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from alerting.plan import AutomationRule, CompoundTrigger, Plan, Tier
from alerting.settings import Settings
from sandbox.flows import Outcome

FIRST_ESCALATION = timedelta(seconds=12)
BETWEEN_ESCALATIONS = timedelta(seconds=6)
STREAK_FLOW = "drill-streak"
UNATTENDED_QUEUE = "drill-unattended"


@dataclass(frozen=True)
class Target:
    """A deployment that a drill runs, named as the pipeline that it stands for."""

    flow: str
    deployment: str = "drill"
    entrypoint: str = "pipeline"


@dataclass(frozen=True)
class Run:
    """One run of a drill. `late` ones are due in the past, in a queue that no worker takes."""

    target: Target
    outcome: Outcome
    late: bool = False


@dataclass(frozen=True)
class Expected:
    """One notification that must arrive.

    `run` is the position, in the scenario, of the run whose end it announces; `due` is the time
    after that end at which it may be sent at the earliest.
    """

    tier: Tier
    channel: str
    subject: str
    run: int
    due: timedelta = timedelta(0)


@dataclass(frozen=True)
class Scenario:
    """Runs in order, each started when the one before has ended, and all who must be told.

    Runs of one `step` are started together. The next step waits for what the last one sends.
    """

    name: str
    steps: tuple[tuple[Run, ...], ...]
    expected: tuple[Expected, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in order."""
        return tuple(run for step in self.steps for run in step)


class ScenarioBuilder:
    """Builds a drill's scenarios from what is deployed."""

    def __init__(self, settings: Settings, plan: Plan, suffix: str = "") -> None:
        """Take what is deployed; `suffix` tells this drill's flows from those of earlier ones."""
        self._settings = settings
        self._rules = plan.automations
        self._suffix = suffix

    def lanes(self) -> tuple[tuple[Scenario, ...], ...]:
        """Scenarios that must follow one another stand in one lane; lanes run side by side.

        Pipelines that are listed only fail in the outage: P1 watches them, and one that had
        failed elsewhere would count. The other scenarios use flows that only carry the tag.
        """
        return (
            (self._outage(),),
            (self._streak(), self._timeout()),
            (self._late(), self._one_failure(), self._retry(), self._crash()),
        )

    def _one_failure(self) -> Scenario:
        return self._single("one failure", "drill-one-failure", Outcome.FAIL)

    def _crash(self) -> Scenario:
        return self._single("a crash by SIGTERM", "drill-crash", Outcome.CRASH)

    def _timeout(self) -> Scenario:
        return self._single("a timeout", "drill-timeout", Outcome.TIME_OUT, "with_timeout")

    def _single(
        self, name: str, flow: str, outcome: Outcome, entrypoint: str = "pipeline"
    ) -> Scenario:
        flow += self._suffix
        run = Run(Target(flow, entrypoint=entrypoint), outcome)
        return Scenario(name, ((run,),), tuple(self._told(Tier.WARNING, flow, 0)))

    def _retry(self) -> Scenario:
        target = Target(f"drill-retry{self._suffix}", entrypoint="with_retry")
        return Scenario("a retry that succeeds", ((Run(target, Outcome.SUCCEED_ON_RETRY),),))

    def _late(self) -> Scenario:
        flow = f"drill-late{self._suffix}"
        run = Run(Target(flow), Outcome.SUCCEED, late=True)
        return Scenario("late to start", ((run,),), tuple(self._told(Tier.LATE, flow, 0)))

    def _streak(self) -> Scenario:
        flow, critical = f"{STREAK_FLOW}{self._suffix}", self._settings.tiers.critical
        failures = critical.consecutive_failures if critical else 1
        run = Run(Target(flow), Outcome.FAIL)
        expected = [e for i in range(failures) for e in self._told(Tier.WARNING, flow, i)]
        expected += self._told(Tier.CRITICAL, flow, failures - 1, key="critical")
        return Scenario(f"{failures} failures in a row", ((run,),) * failures, tuple(expected))

    def _outage(self) -> Scenario:
        settings = self._settings
        targets = [
            Target(settings.flow_of(key), pipeline.deployment or "drill")
            for key, pipeline in settings.pipelines.items()
        ]
        down = tuple(Run(target, Outcome.FAIL) for target in targets)
        mended = tuple(Run(target, Outcome.SUCCEED) for target in targets)
        expected: list[Expected] = []
        for index, (key, target) in enumerate(zip(settings.pipelines, targets, strict=True)):
            expected += self._told(Tier.WARNING, target.flow, index)
            expected += self._told(Tier.RECOVERY, target.flow, index + len(targets))
            if settings.pipelines[key].escalate:
                expected += self._told(Tier.ESCALATION, target.flow, index)
        expected += self._told(Tier.P1, "", len(targets) - 1, key="p1-all-down")
        return Scenario("all pipelines down, escalation, recovery", (down, mended), tuple(expected))

    def _told(self, tier: Tier, flow: str, run: int, key: str | None = None) -> Iterator[Expected]:
        """Who hears of a tier: every notification of its rules, its subject filled in."""
        for rule in self._of_tier(tier):
            if key in (None, rule.key) and _concerns(rule, flow):
                for notification in rule.notifications:
                    subject = notification.subject.replace("{{ flow.name }}", flow)
                    yield Expected(tier, notification.channel, subject, run, _due(rule))

    def _of_tier(self, tier: Tier) -> Iterable[AutomationRule]:
        return (rule for rule in self._rules if rule.tier is tier)


def _concerns(rule: AutomationRule, flow: str) -> bool:
    """Whether a rule that is for named flows only names this one."""
    if isinstance(rule.trigger, CompoundTrigger):
        return True
    named = [r for r in rule.trigger.match_related if r.get("prefect.resource.role") == "flow"]
    names = (labels["prefect.resource.name"] for labels in named)
    return all(flow in name for name in names if not isinstance(name, str))


def _due(rule: AutomationRule) -> timedelta:
    if rule.tier is not Tier.ESCALATION or isinstance(rule.trigger, CompoundTrigger):
        return timedelta(0)
    return rule.trigger.within
