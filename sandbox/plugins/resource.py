"""What a kind of resource must know so that `provider` can manage it."""

from abc import ABC, abstractmethod
from typing import ClassVar

from sandbox.plugins.values import Properties


class Resource(ABC):
    """One kind of resource: how to check, plan, create, read, update and delete it.

    Whatever talks to a server raises ProviderError when it cannot do its work.
    """

    inputs: ClassVar[frozenset[str]]
    """The properties a program may set; any other is refused."""
    replacing: ClassVar[frozenset[str]] = frozenset()
    """The properties that cannot change on an existing resource."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """The properties that are always secret."""

    @abstractmethod
    def problems(self, inputs: Properties, name: str) -> list[str]:
        """Return what is wrong with the inputs of the resource that a program calls `name`."""

    @abstractmethod
    def planned(self, inputs: Properties, state: Properties | None) -> Properties:
        """Return the state that the inputs lead to from `state`, None before creation.

        What only the server knows is UNKNOWN.
        """

    @abstractmethod
    def create(self, planned: Properties) -> tuple[str, Properties]:
        """Create the resource; return its id and state."""

    @abstractmethod
    def read(self, resource_id: str, state: Properties) -> Properties | None:
        """Return the state on the server, None when the resource is gone.

        `state` is the last one known, empty on import.
        """

    @abstractmethod
    def update(self, resource_id: str, planned: Properties, state: Properties) -> Properties:
        """Change the resource from `state` to `planned`; return its new state."""

    @abstractmethod
    def delete(self, resource_id: str, state: Properties) -> None:
        """Delete the resource."""

    def comparable(self, state: Properties) -> Properties:
        """Return the state in a form in which values are equal when they mean the same."""
        return state

    def changes(self, planned: Properties, state: Properties) -> list[str]:
        """Return the properties that mean something else in `planned` than in `state`."""
        wanted, present = self.comparable(planned), self.comparable(state)
        return sorted(key for key, value in wanted.items() if value != present.get(key))

    def current_inputs(self, state: Properties, former: Properties) -> Properties:
        """Return the inputs that describe `state`, which was just read.

        `former` are the last ones known, empty on import.
        """
        keys = former or {key for key in self.inputs if state.get(key)}
        return {key: state[key] for key in keys if state.get(key) is not None}
