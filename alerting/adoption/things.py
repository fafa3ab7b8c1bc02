"""What a stack asks for and what is there, in terms in which the two can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from alerting.plan import Plan


class Kind(StrEnum):
    """The kinds of things that a stack consists of."""

    SECRET = "secret"  # noqa: S105 - a word, not a secret
    BLOCK = "block"
    AUTOMATION = "automation"


@dataclass(frozen=True)
class Wanted:
    """A thing that the plan asks for. `name` is its slug where it is a block."""

    kind: Kind
    key: str
    name: str


@dataclass(frozen=True)
class Found:
    """A thing that is there. `id` is its ARN where it is a secret.

    `stack` is the one whose mark it carries, None when nobody's.
    """

    kind: Kind
    id: str
    name: str
    stack: str | None
    enabled: bool = True
    """Whether it acts, where it is an automation."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})"


def wanted_of(plan: Plan) -> Iterator[Wanted]:
    """All that a plan asks for."""
    yield from (Wanted(Kind.SECRET, rule.key, rule.name) for rule in plan.secrets)
    yield from (Wanted(Kind.BLOCK, rule.key, rule.slug) for rule in plan.blocks)
    yield from (Wanted(Kind.AUTOMATION, rule.key, rule.name) for rule in plan.automations)
