"""Messages as Prefect renders them: its own action, templates and lookups, and no server."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self
from uuid import uuid4

import pytest
from jinja2 import StrictUndefined
from prefect.server.events.actions import SendNotification
from prefect.server.events.schemas.automations import Automation, TriggeredAction
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.utilities import user_templates
from pydantic import BaseModel

from alerting.plan import AutomationRule
from alerting.plan.documents import automation_document
from alerting.plan.forms import Form
from tests.contract.prefect_events import OCCURRED
from tests.shared.strict_rendering import FORMS, Rendered


class Api:
    """Answers for the objects of an event, and 404 for all others."""

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self._objects = objects

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __getattr__(self, call: str) -> Callable[[object], Coroutine[None, None, "Answer"]]:
        found = self._objects.get(call.removeprefix("read_").removesuffix("_raw"))

        async def answer(_: object) -> Answer:
            return Answer(found)

        return answer


class Answer:
    """What is read of an answer of the API."""

    def __init__(self, found: BaseModel | None) -> None:
        self.status_code = 200 if found else 404
        self._found = found

    def json(self) -> dict[str, Any]:
        assert self._found is not None
        return self._found.model_dump(mode="json")


def be_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undefined names are errors, where Prefect would render them as nothing."""
    environment = user_templates._template_environment
    monkeypatch.setattr(environment, "undefined", StrictUndefined)


def stored(rule: AutomationRule) -> Automation:
    """The automation as Prefect would store it, with ids of its own for what it refers to."""
    ids: defaultdict[str, str] = defaultdict(new_id)
    return Automation.model_validate(automation_document(rule, ids, ids))


def new_id() -> str:
    return str(uuid4())


def rendered(
    rule: AutomationRule, event: ReceivedEvent, objects: Mapping[str, Any]
) -> list[Rendered]:
    """What each channel is told; `objects` are those that the API would find."""
    automation = stored(rule)
    notifying = [each for each in automation.actions if isinstance(each, SendNotification)]
    messages = []
    for action, notification in zip(notifying, rule.notifications, strict=True):
        triggered = TriggeredAction(
            automation=automation,
            triggered=OCCURRED,
            triggering_labels={},
            triggering_event=event,
            action=action,
        )
        subject, body = asyncio.run(_rendered_by(action, triggered, Api(objects)))
        form = FORMS.get(notification.channel, Form.SLACK)
        messages.append(Rendered(subject, body, form))
    return messages


async def _rendered_by(
    action: SendNotification, triggered: TriggeredAction, api: Api
) -> tuple[str, str]:
    async def client(_: object) -> Api:
        return api

    object.__setattr__(action, "orchestration_client", client)
    subject, body = await action.render(triggered)
    return subject, body
