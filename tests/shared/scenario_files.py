"""Scenario files that tests read."""

from pathlib import Path

from alerting.scenarios.parsing import read_scenarios
from alerting.scenarios.timeline import Scenario

ISSUE = """\
name: a success in between resets the streak
stack: prod                       # optional, over --stack
timeline:
  - {at: 0m,  flow: products-daily, state: Failed, message: connection refused}
  - {at: 10m, flow: products-daily, state: Failed}
  - {at: 20m, flow: products-daily, state: Completed}
  - {at: 30m, flow: products-daily, state: Failed}
  - {at: 46m, until: true}        # let time pass
expect:                           # complete: any other notification fails the scenario
  - {at: 0m,  tier: warning, to: [data-alerts], contains: [products-daily, connection refused]}
  - {at: 10m, tier: warning, to: [data-alerts]}
  - {at: 15m, tier: escalation, to: [on-call]}       # 15 min since the outage's first failure
  - {at: 20m, tier: recovery, to: [data-alerts]}
  - {at: 20m, tier: recovery, to: [on-call]}         # closes the incident
  - {at: 20m, tier: success, to: [data-info]}
  - {at: 30m, tier: warning, to: [data-alerts]}
  - {at: 45m, tier: escalation, to: [on-call]}
"""


def written(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def scenario(folder: Path, timeline: str, expect: str = "[]", heading: str = "") -> Scenario:
    text = f"name: an example\n{heading}timeline: [{timeline}]\nexpect: {expect}\n"
    (found,) = read_scenarios(written(folder, text))
    return found
