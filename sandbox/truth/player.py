"""Plays a history through a rule set, in Prefect's own trigger engine."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from prefect.server.events.schemas.automations import Automation, Firing
from prefect.server.events.schemas.events import ReceivedEvent

from alerting.plan import Tier
from alerting.scenarios.engine import Engine, Event
from alerting.scenarios.run_events import RunEvent
from alerting.scenarios.simulated_sentinel import SimulatedSentinel
from sandbox.truth.due import ALL
from sandbox.truth.matching import Sent
from sandbox.truth.random_history import START
from sandbox.truth.rule_sets import Rule, RuleSet


def play(
    engine: Engine, rule_set: RuleSet, history: Sequence[RunEvent], until: datetime
) -> list[Sent]:
    """Everything that the rules send by then."""
    rules = {uuid4(): rule for rule in rule_set.rules}
    player = _JudgedPlayer if rule_set.judged else _Player
    with engine.running([_automation(key, rule) for key, rule in rules.items()], START):
        firings = player(engine, rule_set).firings(history, until)
        return [_sent(rules[firing.trigger.automation.id], firing) for firing in firings]


class _Player:
    """The engine hears of the runs."""

    def __init__(self, engine: Engine, _: RuleSet) -> None:
        self._engine = engine

    def firings(self, history: Iterable[RunEvent], until: datetime) -> Iterator[Firing]:
        """What fires by then."""
        for each in history:
            yield from self._let_pass(each.at)
            yield from self._hear(each.event())
        yield from self._let_pass(until)

    def _hear(self, event: Event) -> Iterator[Firing]:
        yield from self._engine.feed(event)

    def _let_pass(self, time: datetime) -> Iterator[Firing]:
        while (due := self._engine.next_evaluation()) and due <= time:
            self._engine.move_to(due)
            yield from self._engine.evaluate()
        self._engine.move_to(time)


class _JudgedPlayer(_Player):
    """The sentinel hears of the runs as well, and the engine of its verdicts."""

    def __init__(self, engine: Engine, rule_set: RuleSet) -> None:
        super().__init__(engine, rule_set)
        self._sentinel = SimulatedSentinel(rule_set.plan.published, engine.now)
        self._sentinel.connect(engine.now)

    def _hear(self, event: Event) -> Iterator[Firing]:
        yield from super()._hear(event)
        yield from self._announce(self._sentinel.observe(event, self._engine.now))

    def _let_pass(self, time: datetime) -> Iterator[Firing]:
        while (due := self._sentinel.next_due(self._engine.now)) and due <= time:
            yield from super()._let_pass(due)
            yield from self._announce(self._sentinel.tick(due))
        yield from super()._let_pass(time)

    def _announce(self, verdicts: Iterable[Event]) -> Iterator[Firing]:
        for verdict in verdicts:
            yield from self._engine.feed(verdict)


def _automation(key: UUID, rule: Rule) -> Automation:
    return Automation.model_validate(
        {"id": key, "name": rule.tier.value, "trigger": rule.trigger, "actions": []}
    )


def _sent(rule: Rule, firing: Firing) -> Sent:
    event = firing.triggering_event
    if event is None:
        raise ValueError(f"nothing says what this page is about: {rule}")
    pipeline = ALL if rule.tier is Tier.P1 else _flow_of(event)
    run = None if rule.tier is Tier.ESCALATION else _run_of(event)
    return Sent(rule.tier, pipeline, firing.triggered, run, rule.step)


def _flow_of(event: ReceivedEvent) -> str:
    """The flow of a run, or of the run that a verdict is about."""
    if "flow" in event.payload:
        return str(event.payload["flow"])
    return event.resource_in_role["flow"].name or ""


def _run_of(event: ReceivedEvent) -> UUID:
    if "run_id" in event.payload:
        return UUID(event.payload["run_id"])
    return event.resource.prefect_object_id("prefect.flow-run")
