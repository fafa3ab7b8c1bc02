"""The rule sets in Prefect's own engine, over a history that is small enough for a test."""

import pytest

from alerting.plan import Tier
from sandbox.truth.bench import Tallies, play_seed
from sandbox.truth.random_history import Extent

pytestmark = pytest.mark.scenarios


@pytest.fixture(scope="module")
def played() -> dict[str, Tallies]:
    return play_seed(5, Extent(flows=3, days=4))


def test_ours_sends_all_that_is_due_and_nothing_else(played: dict[str, Tallies]) -> None:
    for tier, tally in played["ours"].items():
        assert tally.due > 0, tier
        assert tally.is_exact, tier


def test_the_guides_rules_as_written_send_nothing(played: dict[str, Tallies]) -> None:
    for tally in played["guide, as written"].values():
        assert (tally.right, tally.late, tally.false) == (0, 0, 0)
        assert tally.missed == tally.due


def test_the_guides_rules_do_send_once_their_tag_is_mended(played: dict[str, Tallies]) -> None:
    assert played["guide, its tag mended"][Tier.WARNING].right > 0


def test_native_triggers_warn_rightly_and_count_wrongly(played: dict[str, Tallies]) -> None:
    native = played["native triggers"]
    assert native[Tier.WARNING].is_exact
    assert native[Tier.CRITICAL].false > 0
    assert native[Tier.CRITICAL].missed > 0
