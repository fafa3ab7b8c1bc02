"""Prefect's automations: a trigger, and the actions it fires."""

from datetime import datetime
from typing import ClassVar

from sandbox.plugins import automation_api, automation_checks
from sandbox.plugins.automation_defaults import with_defaults
from sandbox.plugins.automation_fields import ACTION_LISTS
from sandbox.plugins.errors import ProviderError
from sandbox.plugins.prefect_api import NOT_FOUND, PrefectApi
from sandbox.plugins.prefect_objects import (
    PrefectObject,
    made_since,
    require_deleted,
    require_found,
    require_id,
    timestamps,
)
from sandbox.plugins.values import Properties, Value


class Automation(PrefectObject):
    """`prefect:index/automation:Automation`."""

    inputs: ClassVar = frozenset({"name", "description", "enabled", "trigger", *ACTION_LISTS})

    def __init__(self, api: PrefectApi) -> None:
        self._api = api

    def problems(self, inputs: Properties, name: str) -> list[str]:
        """Refuse what the vendor's plugin refuses before it asks the server."""
        return automation_checks.problems(inputs, name)

    def desired(self, inputs: Properties, former: Properties) -> Properties:
        """Fill in the defaults."""
        return with_defaults(inputs, former)

    def comparable(self, state: Properties) -> Properties:
        """Compare by what the server would be told."""
        return state | automation_api.comparable(state)

    def create(self, planned: Properties) -> tuple[str, Properties]:
        """Create the automation once, although names are not unique and answers can be lost."""

        def made(moment: datetime) -> Value:
            named = {"automations": {"name": {"any_": [planned["name"]]}}}
            found = self._api.attempt("POST", "/automations/filter", named).body
            return made_since(found, moment)

        answer = self._api.write("POST", "/automations/", automation_api.body(planned), made)
        return answer.body["id"], _state(answer.body, planned)

    def read(self, resource_id: str, state: Properties) -> Properties | None:
        """Read the automation; JSON that means what it meant keeps its text."""
        require_id(resource_id, "automation")
        answer = self._api.read("GET", f"/automations/{resource_id}")
        return None if answer.status == NOT_FOUND else _state(answer.body, state)

    def update(self, resource_id: str, planned: Properties, state: Properties) -> Properties:
        """Put the automation in place of what is there, then read what became of it."""
        del state
        path = f"/automations/{resource_id}"
        answer = self._api.write("PUT", path, automation_api.body(planned))
        require_found(answer, "automation", resource_id)
        answer = self._api.read("GET", path)
        require_found(answer, "automation", resource_id)
        return _state(answer.body, planned)

    def delete(self, resource_id: str, state: Properties) -> None:
        """Delete the automation."""
        del state
        answer = self._api.write("DELETE", f"/automations/{resource_id}")
        require_deleted(answer, "automation", resource_id)

    def current_inputs(self, state: Properties, former: Properties) -> Properties:
        """Keep to what the program sets, in lists of objects and in objects too."""
        if former:
            current: Properties = _narrowed(state, former)
            return current
        return {key: _without_zeros(state[key]) for key in super().current_inputs(state, former)}

    def found(self, arguments: Properties) -> Properties:
        """`prefect:index/getAutomation:getAutomation`."""
        automation = self.read(arguments["id"], {})
        if automation is None:
            raise ProviderError(f"The Prefect server has no automation {arguments['id']}.")
        return automation


def _state(automation: dict[str, Value], former: Properties) -> Properties:
    return {
        "id": automation["id"],
        **automation_api.properties(automation, former),
        **timestamps(automation),
    }


def _narrowed(value: Value, former: Value) -> Value:
    """Return the value without what its former self did not have, objects in lists included."""
    if isinstance(value, dict) and isinstance(former, dict):
        return {key: _narrowed(value[key], former[key]) for key in former if key in value}
    if isinstance(value, list) and isinstance(former, list):
        known = [_narrowed(item, past) for item, past in zip(value, former, strict=False)]
        return known + [_without_zeros(item) for item in value[len(former) :]]
    return value


def _without_zeros(value: Value) -> Value:
    if isinstance(value, list):
        return [_without_zeros(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_zeros(item) for key, item in value.items() if item}
    return value
