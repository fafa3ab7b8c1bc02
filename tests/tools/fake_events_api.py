"""A Prefect workspace's API as far as drills ask it, with a sentinel and automations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from prefect.client.base import ServerType

from alerting.drills.drill import Drill
from alerting.plan.drill_events import REQUEST_PREFIX, DrillPhase
from alerting.plan.published import PublishedSettings
from alerting.sentinel.drills import answer
from alerting.sentinel.events import Event
from tests.shared.drills import acted


@dataclass
class FakeEventsApi:
    """Keeps events and answers at once. What does not work is left out by its parts."""

    settings: PublishedSettings
    sentinel: bool = True
    enabled: Mapping[str, bool] = field(
        default_factory=lambda: dict.fromkeys(
            ("DLT Drill", "DLT Drill Page", "DLT Drill Page Over"), True
        )
    )
    fails: Mapping[str, str] = field(default_factory=dict)
    """Reasons by channel."""
    events: list[dict[str, Any]] = field(default_factory=list)
    on_ask: Callable[[], None] = lambda: None
    """Called at each question."""
    server_type = ServerType.SERVER

    async def request(self, method: str, path: str, *, json: Any) -> SimpleNamespace:  # noqa: ANN401 - JSON
        if path == "/events":
            for event in json:
                self._take(event)
            return _answer(None)
        self.on_ask()
        if path == "/automations/filter":
            names = json["automations"]["name"]["any_"]
            found = [(name, self.enabled[name]) for name in names if name in self.enabled]
            created = datetime.now(UTC).isoformat()
            return _answer([{"name": n, "enabled": on, "created": created} for n, on in found])
        assert path == "/events/filter"
        return _answer({"events": self._found(json["filter"]), "next_page": None})

    def requests(self) -> list[str]:
        """What was asked for, in order."""
        names = (event["event"] for event in self.events)
        return [name for name in names if name.startswith(REQUEST_PREFIX)]

    def _take(self, event: Event) -> None:
        self.events.append({**event, "received": datetime.now(UTC).isoformat()})
        phase = next(phase for phase in DrillPhase if phase.request == event["event"])
        if self.settings.sentinel:
            now = datetime.now(UTC)
            answered = answer(event, self.settings, now, now) if self.sentinel else None
            if answered is None:
                return
            self.events.append(dict(answered))
        self._act(Drill.of_request(event), phase)

    def _act(self, drill: Drill, phase: DrillPhase) -> None:
        for rule in drill.rules:
            if phase in rule.phases and self.enabled.get(rule.name):
                for index, channel in enumerate(rule.channels):
                    reason = self.fails.get(channel)
                    why = {"reason": reason} if reason else {}
                    event = acted(drill, phase, index, 0, rule.name, **why)
                    now = datetime.now(UTC).isoformat()
                    self.events.append({**event, "occurred": now})

    def _found(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        resource = asked["resource"]
        labels = {
            key: [value] if isinstance(value, str) else value
            for key, value in resource.get("labels", {}).items()
        }
        found = [
            event
            for event in self.events
            if event["event"] in asked["event"]["name"]
            and event["resource"].get("prefect.resource.id", "")
            in resource.get("id", [event["resource"].get("prefect.resource.id", "")])
            and all(event["resource"].get(key) in values for key, values in labels.items())
        ]
        return found[::-1] if asked["order"] == "DESC" else found


def _answer(body: object) -> SimpleNamespace:
    return SimpleNamespace(json=lambda: body)
