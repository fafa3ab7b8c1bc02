"""A stack's plan in virtual time: what happens, and who is told what, when.

Example:
    with Engine(fresh_settings()) as engine:
        simulation = Simulation(Deployment(plan), engine)
        with simulation.running():
            run = RunEvent("orders", "Failed", simulation.now, run="brave-otter", tags=["dlt"])
            simulation.happens(run)
            simulation.advance(timedelta(minutes=46))
        for told in simulation.told:
            print(told.at, told.tier, told.channels, told.messages[0].subject)
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from prefect.server.events.actions import SendNotification
from prefect.server.events.schemas.automations import Automation, Firing, TriggerState
from prefect.server.events.schemas.lifecycle import automation_created_event
from prefect.types import DateTime

from alerting.plan import AutomationRule, EventTrigger, Plan, Posture, Tier
from alerting.plan.documents import automation_document, switches
from alerting.plan.silences import Silence
from alerting.scenarios.engine import GRANULARITY, START, Engine
from alerting.scenarios.rendering import Renderer
from alerting.scenarios.run_events import RunEvent, crashed, made_id
from alerting.scenarios.simulated_sentinel import SimulatedSentinel
from alerting.scenarios.told import Message, Told

Event = Mapping[str, Any]
NOTHING = timedelta(0)


class Deployment:
    """A plan's automations as a server has them. It serves any number of simulations."""

    def __init__(self, plan: Plan) -> None:
        """Make the automations."""
        self.plan = plan
        self.renderer = Renderer()
        keys = {n.block for rule in plan.automations for n in rule.notifications}
        blocks = {key: str(made_id("block", key)) for key in keys}
        ids = {rule.key: str(made_id("automation", rule.key)) for rule in plan.automations}
        self._rules = {rule.key: rule for rule in plan.automations}
        self._automations = {
            rule.key: Automation.model_validate(
                {**automation_document(rule, blocks, ids), "id": ids[rule.key]}
            )
            for rule in plan.automations
        }
        self._by_id = {a.id: self._rules[key] for key, a in self._automations.items()}

    def automation(self, rule: str) -> Automation:
        """The automation of the rule with this key."""
        return self._automations[rule]

    def rule_of(self, firing: Firing) -> AutomationRule:
        """The rule that fired."""
        return self._by_id[firing.trigger.automation.id]

    def as_deployed(self, *, watched: bool) -> Iterator[Automation]:
        """The automations as they are deployed, with those that watch the sentinel or without."""
        for key, automation in self._automations.items():
            rule = self._rules[key]
            automation.enabled = rule.enabled
            if watched or not (rule.standby or rule.tier is Tier.ALERTING):
                yield automation


class Simulation:
    """One stack on one server, from a fresh start.

    At each moment what happens comes first; then, when time goes on, what is due by then.
    """

    def __init__(self, deployment: Deployment, engine: Engine, *, watched: bool = False) -> None:
        """`watched` has the sentinel send heartbeats, and whoever misses them be loaded."""
        self.told: list[Told] = []
        self._deployment = deployment
        self._engine = engine
        self._watched = watched
        published = deployment.plan.published
        self._tag = published.tag
        self._sentinel = SimulatedSentinel(published, START) if published.sentinel else None
        self._away_until: datetime | None = None
        self._arriving: list[Event] = []
        self._is_hosted = False
        self._leeway = GRANULARITY

    @property
    def tag(self) -> str:
        """The tag of runs that alert."""
        return self._tag

    @property
    def now(self) -> datetime:
        """The virtual time."""
        return self._engine.now

    @contextmanager
    def running(self, *, sentinel: bool = True) -> Iterator[None]:
        """The stack is deployed, and by default the sentinel is started at once."""
        automations = list(self._deployment.as_deployed(watched=self._watched))
        with self._engine.running(automations), self._deployment.renderer.in_place():
            if self._watched:
                self._announce_deployment()
            if sentinel:
                self.start_sentinel()
            yield

    def happens(self, what: RunEvent | Event) -> None:
        """Something happens now, or is heard of now."""
        if isinstance(what, RunEvent):
            self.knows(what)
            what = what.event()
        if self._away_until:
            self._arriving.append(what)
            return
        self._feed(what)
        if self._sentinel:
            self._feed_all(self._sentinel.observe(what, self.now))

    def silence(self, silence: Silence) -> None:
        """Somebody adds a silence now."""
        if self._sentinel:
            self._sentinel.silence(silence)

    def knows(self, run: RunEvent) -> None:
        """Tell of a run ahead of its events, since a subflow may end before its parent does."""
        if self._sentinel:
            self._sentinel.knows_parent(run.task_run_id, alerts=self._tag in run.tags)

    def advance(self, to: timedelta, *, through: bool = False) -> None:
        """Let time pass, with all that is due before then; with `through`, also what is due then.

        `to` is counted from the start.
        """
        until = START + to
        if self._away_until:
            if until < self._away_until:
                return
            self._come_back(self._away_until)
        if self._sentinel and (through or until > self.now):
            # What is due at the very moment at which something else has happened.
            self._feed_all(self._sentinel.tick(self.now))
        while (due := self._next_due()) and (due < until or (through and due == until)):
            self._engine.move_to(due)
            self._do_what_is_due()
        self._engine.move_to(until)

    def start_sentinel(self) -> None:
        """The sentinel starts now, and catches up. Nothing, where triggers judge."""
        self._is_hosted = True
        if self._sentinel and not self._away_until:
            if self._watched:
                self._beat(self._sentinel)
            self._feed_all(self._sentinel.connect(self.now))

    def stop_sentinel(self) -> None:
        """The sentinel is killed."""
        self._is_hosted = False
        if self._sentinel:
            self._sentinel.disconnect()

    def restart(self, lasting: timedelta) -> None:
        """The server goes away now, and comes back after that time."""
        self._away_until = self.now + lasting
        if self._sentinel:
            self._sentinel.disconnect()

    def _come_back(self, time: datetime) -> None:
        """The server looks at its windows, hears what ended meanwhile, and then the sentinel."""
        self._away_until = None
        self._leeway = 2 * GRANULARITY
        self._engine.move_to(time)
        self._engine.restart()
        self._handle(self._engine.evaluate())
        arriving, self._arriving = self._arriving, []
        for event in arriving:
            self.happens(event)
        if self._is_hosted:
            self.start_sentinel()

    def _next_due(self) -> datetime | None:
        times = [self._engine.next_evaluation()]
        if self._sentinel:
            times.append(self._sentinel.next_due(self.now))
            if self._watched:
                times.append(self._sentinel.next_heartbeat())
        return min((time for time in times if time), default=None)

    def _do_what_is_due(self) -> None:
        """The sentinel first: it is heard before the server looks whether it was."""
        if self._sentinel:
            beat = self._sentinel.next_heartbeat() if self._watched else None
            if beat and beat <= self.now:
                self._beat(self._sentinel)
            self._feed_all(self._sentinel.tick(self.now))
        evaluation = self._engine.next_evaluation()
        if evaluation and evaluation <= self.now:
            self._handle(self._engine.evaluate())

    def _beat(self, sentinel: SimulatedSentinel) -> None:
        rules = (rule for rule in self._deployment.plan.automations if rule.standby)
        standby = any(self._deployment.automation(rule.key).enabled for rule in rules)
        self._feed(sentinel.beat(self.now, standby=standby))

    def _announce_deployment(self) -> None:
        """What the server says of the automation whose deployment arms the watch."""
        for rule in self._deployment.plan.automations:
            if rule.created_after:
                automation = self._deployment.automation(rule.key)
                created = automation_created_event(automation, cast("DateTime", self.now))
                self._feed(created.model_dump(mode="json"))

    def _feed_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._feed(event)

    def _feed(self, event: Event) -> None:
        self._handle(self._engine.feed(event))

    def _handle(self, firings: Iterable[Firing]) -> None:
        for firing in firings:
            rule = self._deployment.rule_of(firing)
            if rule.notifications:
                self._tell(rule, firing)
            if rule.crashes and firing.triggering_event:
                said = firing.triggering_event.model_dump(mode="json")
                self.happens(crashed(said, rule.crashes, self.now))
            if rule.standby and self._sentinel:
                change = firing.trigger.create_automation_state_change_event(
                    firing, TriggerState.Triggered
                )
                self._sentinel.standby_fired(change.model_dump(mode="json"))
            for action, key in switches(rule):
                automation = self._deployment.automation(key)
                self._engine.set_enabled(automation.id, enabled=action == "resume-automation")

    def _tell(self, rule: AutomationRule, firing: Firing) -> None:
        notifying = (
            a for a in firing.trigger.automation.actions if isinstance(a, SendNotification)
        )
        messages = []
        for notification, action in zip(rule.notifications, notifying, strict=True):
            rendered = self._engine.run(self._deployment.renderer.render(firing, action))
            messages.append(Message(notification.channel, *rendered))
        leeway = self._leeway if _waits(rule) else NOTHING
        self.told.append(Told(self.now - START, rule.tier, rule.key, tuple(messages), leeway))


def _waits(rule: AutomationRule) -> bool:
    """Whether it fires on what does not happen, which the server notices a little later."""
    trigger = rule.trigger
    return isinstance(trigger, EventTrigger) and trigger.posture is Posture.PROACTIVE
