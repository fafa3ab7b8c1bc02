"""A verdict of every kind, alone and in a list, about the example stack."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from alerting.plan.load_events import Load
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.sentinel.anomalies import of_load
from alerting.sentinel.grouping import GROUPED
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from alerting.sentinel.overdue import Overdue
from alerting.sentinel.summaries import Day, day_over, silence_over
from alerting.sentinel.verdicts import Verdict
from tests.shared.histories import end, minute, runs

NOW = minute(3_000)
HISTORY = [
    *runs("F F C"),
    end("F", 21, "load-clicks", "prod"),
    end("S", 30),
    end("F", 40, "load-clicks", "test"),
    end("F", 50, "not listed"),
    end("F", 60, "not listed", "prod", message=""),
    end("S", 70, "not listed", "prod"),
    end("S", 2_000),
]


def every_verdict(
    settings: PublishedSettings, history: list[Ended] | None = None
) -> Iterator[Verdict]:
    """Verdicts in the order of their times, and after them lists of those that come in lists.

    All kinds where the settings are `every_kind`.
    """
    alone = sorted(_alone(settings, history or HISTORY), key=lambda each: each.at)
    yield from alone
    for kind in sorted(GROUPED):
        members = [each for each in alone if each.kind is kind]
        others = [
            replace(each, id=UUID(int=each.id.int + 1), ended=replace(each.ended, flow="other"))
            for each in members[:1]
        ]
        if members:
            yield replace(members[-1], outage=None, members=(*members, *others))
    resolved = next((each for each in alone if each.kind == "resolved"), None)
    if resolved:
        yield replace(resolved, outage=None, members=(resolved,))


def _alone(settings: PublishedSettings, history: list[Ended]) -> Iterator[Verdict]:
    yield from judge(history, settings, NOW)
    load = Load(id=str(UUID(int=1)), at=minute(80), rows=0, flow="orders", run_id=str(UUID(int=2)))
    yield from of_load(load, [], settings)
    waiting = replace(end("S", 90), state="Late")
    began = replace(end("S", 100), state="Running")
    yield from Overdue(settings).look([(waiting, waiting.at + timedelta(seconds=15))], [began], NOW)
    silence = Silence(
        id="1", starts=minute(0), ends=minute(30), reason="a move", author="ada <a@b.org>"
    )
    if over := silence_over(silence, history, settings):
        yield over
    yield day_over(
        Day(minute(0), minute(1_440), 10, 5, ["orders"], ["clicks until later"]), settings
    )
