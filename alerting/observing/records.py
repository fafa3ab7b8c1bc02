"""What Prefect's API answers with, as far as it is read."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alerting.sentinel.events import OUTCOMES


class Record(BaseModel):
    """A part of an answer; what else is in it does not matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class State(Record):
    """A run's state."""

    type: str
    name: str | None = None
    timestamp: datetime
    message: str | None = None


class Run(Record):
    """A run."""

    id: UUID
    name: str
    flow_id: UUID
    deployment_id: UUID | None = None
    parent_task_run_id: UUID | None = None
    state: State | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether it ended as a success or a failure."""
        return self.end_time is not None and self.state is not None and self.state.type in OUTCOMES


class Named(Record):
    """A flow."""

    id: UUID
    name: str
    tags: tuple[str, ...] = ()


class Deployment(Named):
    """A deployment of a flow."""

    flow_id: UUID


class Action(Record):
    """What an automation does."""

    block_document_id: str | None = None
    """The block that it notifies by."""


class Automation(Record):
    """An automation."""

    name: str
    enabled: bool
    actions: tuple[Action, ...]


class BlockType(Record):
    """A kind of block."""

    slug: str


class Block(Record):
    """A block, without what it holds."""

    id: str
    name: str | None
    block_type: BlockType

    @property
    def slug(self) -> str:
        """The block as Prefect's commands name it, such as `slack-webhook/alerts`."""
        return f"{self.block_type.slug}/{self.name}"
