"""Plays a history through a rule set, in Prefect's own trigger engine."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from prefect.server.events.schemas.automations import Automation, Firing

from alerting.scenarios.engine import Engine, Event
from alerting.scenarios.run_events import RunEvent
from alerting.plan import Tier
from alerting.sentinel.events import announcement, ended_run
from alerting.sentinel.judging import Judge
from alerting.sentinel.verdicts import Verdict
from sandbox.truth.due import ALL
from sandbox.truth.matching import Sent
from sandbox.truth.random_history import START
from sandbox.truth.rule_sets import Rule, RuleSet


class Player:
    """Plays one history."""

    def __init__(self, engine: Engine, rule_set: RuleSet) -> None:
        self._engine = engine
        self._settings = rule_set.plan.published
        self._judge = Judge(self._settings) if rule_set.judged else None
        self._automations = {_automation(rule): rule for rule in rule_set.rules}
        self._rules = {automation.id: rule for automation, rule in self._automations.items()}

    def play(self, history: Sequence[RunEvent], until: datetime) -> list[Sent]:
        """Everything that is sent by then."""
        with self._engine.running(self._automations, START):
            return list(self._play(history, until))
