"""What blocks and automations have in common on a Prefect server."""

import uuid
from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.prefect_api import NOT_FOUND, Answer
from sandbox.plugins.resource import Resource
from sandbox.plugins.values import UNKNOWN, Properties, Value


class PrefectObject(Resource):
    """A kind of object that has an id and times from the server."""

    @abstractmethod
    def desired(self, inputs: Properties, former: Properties) -> Properties:
        """Return what the inputs ask for, defaults included; `former` is empty before creation."""

    def planned(self, inputs: Properties, state: Properties | None) -> Properties:
        """Keep id and times; only the time of a change is not known before it."""
        former = state or {}
        kept = {key: former.get(key, UNKNOWN) for key in ("id", "created", "updated")}
        planned = self.desired(inputs, former) | kept
        if state and self.changes(planned, state):
            planned["updated"] = UNKNOWN
        return planned


def require_id(text: str, what: str) -> None:
    """Raise ProviderError unless the text can be an object's id."""
    try:
        uuid.UUID(text)
    except ValueError:
        raise ProviderError(
            f"{text!r} is not the id of a Prefect {what}, which is a UUID. "
            "Its page in Prefect's UI shows it."
        ) from None


def require_found(answer: Answer, what: str, object_id: str) -> None:
    """Raise ProviderError when the object to change is gone from the server."""
    if answer.status == NOT_FOUND:
        raise ProviderError(
            f"The Prefect {what} {object_id} is no longer on the server. "
            "`pulumi refresh` takes it out of the stack's state."
        )


def require_deleted(answer: Answer, what: str, object_id: str) -> None:
    """Raise ProviderError when the object was gone before: the vendor's plugin fails then too."""
    if not answer.repeated:
        require_found(answer, what, object_id)


def timestamps(made: dict[str, Value]) -> dict[str, str]:
    """Return when the object was created and updated, to the second."""
    return {key: f"{made[key][:19]}Z" for key in ("created", "updated")}


def made_since(objects: Iterable[dict[str, Value]], moment: datetime) -> dict[str, Value] | None:
    """Return an object created at the moment or later, None when there is none.

    The moment is by this machine's clock, which is the server's: it is at a loopback address.
    """
    return next((o for o in objects if datetime.fromisoformat(o["created"]) >= moment), None)
