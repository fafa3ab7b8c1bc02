"""What the sentinel knows of a run that has ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NOTHING = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Ended:
    """A run's terminal state that counts: a success or a failure. A cancelled run is neither.

    `state_id` is the id of the state, which is also that of the event that told of it, so that the
    same end is known as the same wherever it was read.
    """

    at: datetime
    """When the run came into the state; its timestamp."""
    state_id: UUID
    run_id: UUID
    run: str
    flow: str
    failed: bool
    deployment: str | None = None
    """The deployment's name, None for an ad hoc run."""
    state: str = ""
    """The state's name, such as TimedOut."""
    message: str = ""

    @property
    def order(self) -> tuple[datetime, int]:
        """Runs count in the order of their terminal states' timestamps."""
        return self.at, self.state_id.int

    @property
    def is_run(self) -> bool:
        """Whether there is such a run."""
        return self.run_id != NOTHING


def no_run(flow: str, deployment: str | None, at: datetime) -> Ended:
    """Stands for the runs of a pipeline, of which none is meant."""
    return Ended(at, NOTHING, NOTHING, "", flow, failed=False, deployment=deployment)
