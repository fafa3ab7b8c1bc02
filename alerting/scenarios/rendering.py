"""Messages as Prefect renders them, with undefined names as errors."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock
from uuid import UUID

from jinja2 import StrictUndefined
from prefect.server.events import actions
from prefect.server.events.actions import ActionFailed, ExternalDataAction, SendNotification
from prefect.server.events.schemas.automations import Firing, TriggeredAction
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.utilities import user_templates

_CACHED = 4_096


class RenderingError(Exception):
    """A template that Prefect would render as nothing in place of a name, or not at all."""


class Renderer:
    """Has Prefect render what its automations say."""

    def __init__(self) -> None:
        """Keep templates compiled: Prefect compiles them again for each message."""
        strict = user_templates._template_environment.overlay(undefined=StrictUndefined)  # noqa: SLF001
        self._compiled = SimpleNamespace(
            from_string=lru_cache(_CACHED)(strict.from_string), parse=strict.parse
        )
        self._types_in = lru_cache(_CACHED)(_types_in)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While this lasts, Prefect renders strictly, and asks no API about an event's objects."""
        with ExitStack() as stack:
            for where, name, stand_in in (
                (user_templates, "_template_environment", self._compiled),
                (user_templates, "logger", mock.Mock()),
                (actions, "matching_types_in_templates", self._types),
                (ExternalDataAction, "orchestration_client", _api),
            ):
                stack.enter_context(mock.patch.object(where, name, stand_in))
            yield

    async def render(self, firing: Firing, action: SendNotification) -> tuple[str, str]:
        """Subject and body of a notification.

        Raises:
            RenderingError: when a template uses what is undefined, or fails otherwise.
        """
        automation = firing.trigger.automation
        # A new one for each message, as on a server: an action keeps the objects that it was given.
        fresh = SendNotification.model_construct(**dict(action))
        triggered = TriggeredAction.model_construct(
            automation=automation,
            firing=firing,
            triggered=firing.triggered,
            triggering_labels=firing.triggering_labels,
            triggering_event=firing.triggering_event,
            action=fresh,
        )
        try:
            subject, body = await fresh.render(triggered)
        except ActionFailed as error:
            raise RenderingError(f"{automation.name}: {error.reason}") from None
        return subject, body

    def _types(self, templates: list[str], types: set[str]) -> list[str]:
        found = (self._types_in(template, frozenset(types)) for template in templates)
        return sorted(set().union(*found))


def _types_in(template: str, types: frozenset[str]) -> frozenset[str]:
    return frozenset(user_templates.matching_types_in_templates([template], set(types)))


async def _api(_: ExternalDataAction, triggered: TriggeredAction) -> "_Api":
    if triggered.triggering_event is None:
        raise AssertionError("Prefect asks about an event's objects only")
    return _Api(triggered.triggering_event)


class _Api:
    """Answers about the objects that an event names, from what the event says of them."""

    def __init__(self, event: ReceivedEvent) -> None:
        self._event = event
        self._names = {each.id: each.name or "" for each in reversed(event.involved_resources)}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __getattr__(self, call: str) -> Callable[[UUID], Coroutine[None, None, SimpleNamespace]]:
        kind = call.removeprefix("read_").removesuffix("_raw").replace("_", "-")

        async def answer(object_id: UUID) -> SimpleNamespace:
            name = self._names.get(f"prefect.{kind}.{object_id}")
            found = {"id": str(object_id), "name": name, **self._details(object_id)}
            return SimpleNamespace(status_code=404 if name is None else 200, json=lambda: found)

        return answer

    def _details(self, object_id: UUID) -> dict[str, Any]:
        """What Prefect requires of objects of any kind, which each kind takes its own from."""
        flow = self._event.resource_in_role.get("flow")
        return {
            "flow_id": flow.id.rpartition(".")[2] if flow else str(object_id),
            "expected_start_time": self._event.occurred.isoformat(),
            "type": "process",
            "default_queue_id": str(object_id),
        }
