"""What entries say of one another: names that must exist, and names that must differ."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from difflib import get_close_matches

from alerting.settings.models import Settings
from alerting.settings.problems import ProblemCollector, shown
from alerting.settings.tiers import EscalationStep


def steps(settings: Settings, collector: ProblemCollector) -> list[tuple[int, EscalationStep]]:
    """Escalation steps by their place in the file, where those that are wrong count as well."""
    total = len(settings.escalation) + len(
        {path[1] for path in collector.wrong if path[0] == "escalation" and len(path) > 1}
    )
    places = [index for index in range(total) if collector.is_sound(("escalation", index))]
    return list(zip(places, settings.escalation, strict=True))


def unique(
    section: str, entries: Iterable[tuple[str, Hashable]], what: str, collector: ProblemCollector
) -> None:
    """Add a problem for each entry that has what another has before it."""
    owners = defaultdict(list)
    for key, identity in entries:
        owners[identity].append(key)
    for first, *others in owners.values():
        for key in others:
            text = f"has {what} that {shown(first)} has as well. Give one of them another"
            collector.add((section, key), text)


def not_declared(what: str, section: str, name: str, declared: frozenset[str]) -> str:
    """What is wrong with a name that is not declared, with the nearest that is."""
    close = get_close_matches(name, sorted(declared), n=1)
    choice = f"Did you mean {shown(close[0])}?" if close else "Declare it there, or name another"
    return f"names a {what} that data-alerts:{section} does not declare. {choice}"
