"""Which of the things that are there a deployment may take for its own, and which stop it.

Pure. A deployment cannot see its state, but it sees the ids that its last finished run put out.
What a run that was interrupted has made, or a lost state knew of, is told by its mark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alerting.adoption.things import Found, Kind, Wanted
from alerting.settings import Settings

Ids = Mapping[Kind, Mapping[str, str]]
"""Ids by kind and key."""


def adopted_ids(settings: Settings) -> Ids:
    """The ids of what the settings say becomes the stack's."""
    adopted = settings.adopt
    return {
        Kind.SECRET: adopted.secrets,
        Kind.BLOCK: adopted.blocks,
        Kind.AUTOMATION: adopted.automations,
    }


@dataclass(frozen=True)
class Claim:
    """How a thing becomes the stack's: imported under its id, or made where there is none.

    `moved_from` is the key that it had in the last deployment, if that was another one. `enabled`
    is whether an automation acts now, `deployed` whether the last deployment had the thing.
    """

    import_id: str | None = None
    moved_from: tuple[str, ...] = ()
    enabled: bool = False
    deployed: bool = False


NEW = Claim()


@dataclass(frozen=True)
class Refusal:
    """Why a thing that is there stops the deployment."""

    found: Found
    reason: str

    def __str__(self) -> str:
        return f"{self.found}: {self.reason}"


class RefusedError(Exception):
    """Things that are there are not the stack's; nothing was changed."""

    def __init__(self, stack: str, refusals: Sequence[Refusal]) -> None:
        """Say of each thing whose it is, and once what to do."""
        self.refusals = tuple(refusals)
        lines = "".join(f"\n  {refusal}" for refusal in refusals)
        super().__init__(
            f"Nothing was changed. Made a second time, these would page twice or fail:{lines}\n"
            f"To take over what is yours: alertctl adopt --stack {stack}. To leave it alone: give "
            "the stack names of its own with data-alerts:namePrefix."
        )


@dataclass(frozen=True)
class Claims:
    """The claim of every thing that is there already."""

    by_kind: Mapping[Kind, Mapping[str, Claim]] = field(default_factory=dict)

    def of(self, kind: Kind) -> Mapping[str, Claim]:
        """Claims by key."""
        return self.by_kind.get(kind, {})


@dataclass(frozen=True)
class Knowledge:
    """What is known of a stack beside what is there.

    `deployed` are the ids of its last finished deployment, `adopted` those that its settings name.
    `shared` are the secrets that are its own whoever made them, by key.
    """

    stack: str
    deployed: Ids = field(default_factory=dict)
    adopted: Ids = field(default_factory=dict)
    shared: frozenset[str] = frozenset()

    def key_of(self, found: Found) -> str | None:
        """The key under which the last deployment had a thing."""
        ids = self.deployed.get(found.kind, {})
        return next((key for key, known in ids.items() if known == found.id), None)

    def owns(self, wanted: Wanted, found: Found) -> bool:
        """Whether a thing is the stack's to take."""
        return (
            found.stack == self.stack
            or self.key_of(found) is not None
            or self.adopted.get(wanted.kind, {}).get(wanted.key) == found.id
            or (wanted.kind is Kind.SECRET and wanted.key in self.shared)
        )


def claims(wanted: Iterable[Wanted], found: Iterable[Found], knowledge: Knowledge) -> Claims:
    """Decide on each thing that the plan asks for.

    Raises:
        RefusedError: with everything that stops the deployment.
    """
    there = list(found)
    decided: dict[Kind, dict[str, Claim]] = {kind: {} for kind in Kind}
    refusals: list[Refusal] = []
    for each in wanted:
        named = [thing for thing in there if _answers(each, thing, knowledge)]
        wrong = _wrong(each, named, knowledge) + _absent(each, named, knowledge)
        refusals += wrong
        if named and not wrong:
            decided[each.kind][each.key] = _claim(each, named[0], knowledge)
    if refusals:
        raise RefusedError(knowledge.stack, refusals)
    return Claims(decided)


def _answers(wanted: Wanted, found: Found, knowledge: Knowledge) -> bool:
    """Whether it has the name, or is the one that the settings name for a thing not deployed."""
    if found.kind is not wanted.kind:
        return False
    deployed = knowledge.deployed.get(wanted.kind, {})
    adopted = knowledge.adopted.get(wanted.kind, {}).get(wanted.key)
    return found.name == wanted.name or (found.id == adopted and wanted.key not in deployed)


def _wrong(wanted: Wanted, named: Sequence[Found], knowledge: Knowledge) -> list[Refusal]:
    strangers = [thing for thing in named if not knowledge.owns(wanted, thing)]
    if strangers:
        return [Refusal(thing, _whose(thing)) for thing in strangers]
    if len(named) > 1:
        return [Refusal(thing, _which(thing, named, knowledge)) for thing in named]
    return []


def _absent(wanted: Wanted, named: Sequence[Found], knowledge: Knowledge) -> list[Refusal]:
    """Refuse to adopt what is not there: something new would be made beside what was meant."""
    adopted = knowledge.adopted.get(wanted.kind, {}).get(wanted.key)
    deployed = wanted.key in knowledge.deployed.get(wanted.kind, {})
    if adopted is None or deployed or any(thing.id == adopted for thing in named):
        return []
    reason = f"is not there. Remove data-alerts:adopt.{wanted.kind}s.{wanted.key}"
    return [Refusal(Found(wanted.kind, adopted, wanted.name, None), reason)]


def _which(thing: Found, named: Sequence[Found], knowledge: Knowledge) -> str:
    """Say which of several is to stay. A second automation goes on paging beside the first."""
    several = f"one of {len(named)} of that name"
    if knowledge.key_of(thing):
        return f"{several}, and the one that is deployed: keep it"
    if any(knowledge.key_of(other) for other in named):
        return f"{several}: delete it"
    return f"{several}: delete all but one"


def _whose(found: Found) -> str:
    if found.stack:
        return f"made by stack {found.stack}"
    return "not made by this project, or before it marked what it makes"


def _claim(wanted: Wanted, found: Found, knowledge: Knowledge) -> Claim:
    key = knowledge.key_of(found)
    if key and key != wanted.key:
        # Imported under its new key it would be deleted under its old one.
        return Claim(moved_from=(key,), enabled=found.enabled, deployed=True)
    return Claim(import_id=found.id, enabled=found.enabled, deployed=key is not None)
