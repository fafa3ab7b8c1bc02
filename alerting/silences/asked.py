"""What somebody who adds a silence asks for. Pure: no I/O, no clock."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.settings.durations import format_duration
from alerting.settings.maintenance import LONGEST_SILENCE

LONGEST_TEXT = 500
_NEAR = 3


class SilenceError(Exception):
    """A silence cannot be added or ended; the text says why, and what to do."""


@dataclass(frozen=True)
class AskedSilence:
    """A silence that is to be added."""

    pipelines: tuple[str, ...]
    """Keys of listed pipelines, flows of others; none means all."""
    starts: datetime
    ends: datetime
    reason: str
    author: str

    def checked(self, now: datetime) -> None:
        """Raise SilenceError unless it has a reason and an author, and an end that comes."""
        for what, text in (("a reason", self.reason), ("an author", self.author)):
            if not text.strip() or not text.isprintable() or len(text) > LONGEST_TEXT:
                raise SilenceError(
                    f"expected {what}: one line, not blank, {LONGEST_TEXT} characters at most"
                )
        if self.ends <= self.starts:
            raise SilenceError("it would end before it starts: name a later end")
        if self.ends <= now:
            raise SilenceError("it would be over already: name an end that is still to come")
        if self.ends - self.starts > LONGEST_SILENCE:
            raise SilenceError(
                f"it would last longer than {format_duration(LONGEST_SILENCE)}: name an earlier "
                "end, and add another silence if need be"
            )

    def as_silence(self, silence_id: str) -> Silence:
        """The silence, under an id of its own."""
        return Silence(
            id=silence_id,
            pipelines=tuple(sorted(set(self.pipelines))),
            starts=self.starts,
            ends=self.ends,
            reason=self.reason.strip(),
            author=self.author.strip(),
        )


def name_problems(
    names: Sequence[str], settings: PublishedSettings, flows: Collection[str]
) -> list[str]:
    """What keeps names from being pipelines of a stack, in a workspace with these flows."""
    return [problem for name in names for problem in _problems(name, settings, flows)]


def unlisted(names: Sequence[str], settings: PublishedSettings) -> list[str]:
    """Those of the names that are no listed pipeline's."""
    listed = {pipeline.name for pipeline in settings.pipelines}
    return [name for name in names if name not in listed]


def _problems(name: str, settings: PublishedSettings, flows: Collection[str]) -> Iterator[str]:
    if name not in unlisted([name], settings):
        return
    of_flow = sorted(pipeline.name for pipeline in settings.pipelines if pipeline.flow == name)
    if of_flow:
        yield f"{name!r} is the flow of {_named(of_flow)}: name that"
    elif name not in flows:
        known = [*(pipeline.name for pipeline in settings.pipelines), *flows]
        near = get_close_matches(name, sorted(set(known)), n=_NEAR, cutoff=0.5)
        hint = f"Did you mean {_named(near)}?" if near else "Name one of data-alerts:pipelines"
        yield f"{name!r} is neither a pipeline nor a flow. {hint}"


def _named(names: Sequence[str]) -> str:
    return " or ".join(map(repr, names))
