"""How a pipeline is, and what changes that. Pure."""

from dataclasses import dataclass

from alerting.sentinel.history import Ended
from alerting.sentinel.verdicts import Outage


@dataclass(frozen=True, slots=True)
class Condition:
    """How a pipeline is after some of its runs: healthy, or in an outage."""

    success: Ended | None = None
    """Its last success, None when it has had none."""
    outage: Outage | None = None
    mended: Ended | None = None
    """The success that ends the outage, if no failure follows too soon."""
    ran: bool = False

    @property
    def is_down(self) -> bool:
        """Whether its last run failed."""
        return self.outage is not None and self.mended is None

    @property
    def anchor(self) -> str | None:
        """State id of its last success."""
        return str(self.success.state_id) if self.success else None


@dataclass(frozen=True, slots=True)
class Change:
    """A pipeline went down or came up, or ran for the first time."""

    ended: Ended
    pipeline: str
    anchor: str | None
    """What tells this time of being down from others; None when it is up."""


def is_change(before: Condition, after: Condition) -> bool:
    """Whether a pipeline went down or came up between the two, or ran for the first time."""
    return not before.ran or before.is_down != after.is_down
