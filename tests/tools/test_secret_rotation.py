"""Rotations that are killed, raced and refused: alerts arrive at every moment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from alerting.secrets.errors import RotationStoppedError, SecretsError
from alerting.secrets.rotation import Rotation
from alerting.secrets.secrets_manager import CURRENT, PREVIOUS, REPLACED, SecretsManager
from alerting.secrets.sources import EnvironmentSource, SecretsManagerSource, Source
from alerting.secrets.versions import SecretVersions
from tests.shared.secret_store import NAME, NEW, OLD, OTHER, FakeClient

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.tools

KINDS = ["secretsmanager", "configuration", "environment"]


class KilledError(BaseException):
    """The process is gone. No `except` of the product catches it."""


class Configuration:
    """A stack's encrypted configuration."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.value = OLD

    def read(self) -> SecretStr | None:
        return SecretStr(self.value)

    def write(self, value: SecretStr) -> None:
        with_moments(self._world, lambda: setattr(self, "value", value.get_secret_value()))

    put_back = write


class Given:
    """Somebody who gives a value."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def required(self) -> SecretStr:
        if self._value is None:
            raise SecretsError("no value")
        return SecretStr(self._value)

    def offered(self) -> SecretStr | None:
        return SecretStr(self._value) if self._value else None


class World:
    """Secrets Manager, a block in Prefect, and a team that rotates a secret of that block."""

    def __init__(self, kind: str, value: str | None = OLD) -> None:
        self.client = FakeClient(value)
        self.kind = kind
        self.block = OLD
        self.variables = {"SLACK_URL": OLD}
        self.configuration = Configuration(self)
        self.drilled: list[str] = []
        self.said: list[str] = []
        self.drill_passes = True
        self.at_moment: Callable[[], None] = lambda: None
        self.client.moment = self.moment

    def moment(self) -> None:
        """Between any two steps, anything may happen."""
        self.at_moment()

    def rotation(self, given: str | None = NEW) -> Rotation:
        manager = SecretsManager(cast("SecretsManagerClient", self.client))
        if self.kind == "environment" and given:
            self.variables["SLACK_URL"] = given
        return Rotation(
            secret="slack-url",
            versions=SecretVersions(manager, NAME),
            source=self._source(manager),
            new=Given(None if self.kind == "environment" else given),
            check=lambda _: None,
            deploy=self._deploy,
            deployed=lambda value: value.get_secret_value() == self.block == self.labels()[CURRENT],
            drill=self._drill,
            say=self.said.append,
        )

    def labels(self) -> dict[str, str]:
        return self.client.labels()

    def _source(self, manager: SecretsManager) -> Source:
        if self.kind == "secretsmanager":
            return SecretsManagerSource(manager, NAME)
        if self.kind == "environment":
            return EnvironmentSource(self.variables, "SLACK_URL")
        return self.configuration

    def _deploy(self) -> None:
        """What the program does: it writes what the stack brings, and then the block."""
        brought = {
            "configuration": self.configuration.value,
            "environment": self.variables["SLACK_URL"],
        }.get(self.kind)
        if brought and self.labels()[CURRENT] != brought:
            with_moments(self, lambda: self.client.put_from_outside(brought))
        with_moments(self, lambda: setattr(self, "block", self.labels()[CURRENT]))

    def _drill(self) -> bool:
        if self.drill_passes:
            with_moments(self, lambda: self.drilled.append(self.block))
        return self.drill_passes


def with_moments(world: World, act: Callable[[], object]) -> None:
    world.moment()
    act()
    world.moment()


def moments_of(world: World, act: Callable[[], object]) -> int:
    """How many moments there are in something that is not disturbed."""
    count = 0

    def one_more() -> None:
        nonlocal count
        count += 1

    world.at_moment = one_more
    act()
    world.at_moment = lambda: None
    return count


def killed_at(world: World, moment: int, act: Callable[[], object]) -> None:
    left = moment

    def kill() -> None:
        nonlocal left
        if left == 0:
            raise KilledError
        left -= 1

    world.at_moment = kill
    with pytest.raises(KilledError):
        act()
    world.at_moment = lambda: None


def nothing_is_lost(world: World) -> None:
    """Whatever is in use is valid, and the old one is at hand until the new one is proven."""
    labels = world.labels()
    assert labels[CURRENT] in {OLD, NEW}
    assert world.block in {OLD, NEW}
    if not world.drilled:
        assert OLD in labels.values()
    assert set(world.drilled) <= {NEW}


def is_rotated(world: World) -> None:
    assert world.labels() == {CURRENT: NEW}
    assert world.block == NEW
    assert world.drilled[-1] == NEW


@pytest.mark.parametrize("kind", KINDS)
def test_a_rotation_ends_with_the_new_value_everywhere_and_the_old_one_nowhere(kind: str) -> None:
    world = World(kind)
    world.rotation().run()
    is_rotated(world)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment_it_goes_on_when_it_is_run_again(kind: str) -> None:
    world = World(kind)
    moments = moments_of(world, world.rotation().run)
    for moment in range(moments):
        world = World(kind)
        killed_at(world, moment, world.rotation().run)
        nothing_is_lost(world)
        if world.labels() != {CURRENT: NEW}:
            world.rotation().run()
        is_rotated(world)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_twice_it_still_goes_on(kind: str) -> None:
    world = World(kind)
    moments = moments_of(world, world.rotation().run)
    for moment in range(0, moments, 3):
        world = World(kind)
        killed_at(world, moment, world.rotation().run)
        if world.labels() == {CURRENT: NEW}:
            continue
        killed_at(world, moment // 2, world.rotation().run)
        nothing_is_lost(world)
        if world.labels() != {CURRENT: NEW}:
            world.rotation().run()
        is_rotated(world)


@pytest.mark.parametrize("kind", ["secretsmanager", "configuration"])
def test_once_the_new_value_is_in_nobody_is_asked_for_it_again(kind: str) -> None:
    world = World(kind)
    world.drill_passes = False
    with pytest.raises(RotationStoppedError):
        world.rotation().run()
    world.drill_passes = True
    world.rotation(given=None).run()
    is_rotated(world)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_drill_keeps_both_values_and_says_what_to_do(kind: str) -> None:
    world = World(kind)
    world.drill_passes = False
    with pytest.raises(RotationStoppedError, match=r"revoke nothing.*--resume.*--abandon") as stop:
        world.rotation().run()
    assert world.labels()[CURRENT] == NEW
    assert world.labels()[REPLACED] == OLD
    assert NEW not in str(stop.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_abandoned_rotation_puts_the_old_value_back_everywhere_whenever_it_is_killed(
    kind: str,
) -> None:
    moments = moments_of(*_abandoning(kind))
    for moment in range(moments):
        world, abandon = _abandoning(kind)
        killed_at(world, moment, abandon)
        assert world.labels()[CURRENT] in {OLD, NEW}
        if REPLACED in world.labels():
            abandon()
        labels = world.labels()
        assert (labels[CURRENT], world.block) == (OLD, OLD)
        assert REPLACED not in labels


def _abandoning(kind: str) -> tuple[World, Callable[[], None]]:
    world = World(kind)
    world.drill_passes = False
    with pytest.raises(RotationStoppedError):
        world.rotation().run()
    # Nobody can set the variable of the CI from here: its owner does.
    return world, world.rotation(given=OLD if kind == "environment" else None).abandon


def test_a_rotation_after_an_abandoned_one_is_a_rotation_like_any_other() -> None:
    world, abandon = _abandoning("secretsmanager")
    abandon()
    world.drill_passes = True
    world.rotation().run()
    is_rotated(world)


def test_there_is_nothing_to_abandon_before_a_rotation() -> None:
    with pytest.raises(SecretsError, match="no rotation of slack-url is under way"):
        World("secretsmanager").rotation().abandon()


def test_of_two_rotations_at_any_moment_one_goes_through_whole() -> None:
    world = World("secretsmanager")
    moments = moments_of(world, world.rotation().run)
    for moment in range(moments):
        world = World("secretsmanager")
        outcomes = _raced(world, moment)
        labels = world.labels()
        assert labels[CURRENT] == world.block == world.drilled[-1]
        assert REPLACED not in labels
        assert outcomes[labels[CURRENT]] is None, f"the winner was refused at {moment}"
        # Either they came one after the other, or one of them was told that it lost.
        assert PREVIOUS not in labels


def _raced(world: World, moment: int) -> dict[str, str | None]:
    """Run one rotation within another, after so many of its moments; why each was refused."""
    left, outcomes = moment, dict[str, str | None]()

    def other_comes() -> None:
        nonlocal left
        if left == 0:
            world.at_moment = lambda: None
            outcomes[OTHER] = _refusal(world, OTHER)
        left -= 1

    world.at_moment = other_comes
    outcomes[NEW] = _refusal(world, NEW)
    if REPLACED in world.labels():
        # Neither got through while the other was at it; whoever comes next ends it.
        current = world.labels()[CURRENT]
        outcomes[current] = _refusal(world, None)
    return outcomes


def _refusal(world: World, given: str | None) -> str | None:
    try:
        world.rotation(given).run()
    except SecretsError as error:
        return str(error)
    return None


def test_another_value_does_not_slip_into_a_rotation_under_way() -> None:
    world = World("secretsmanager")
    world.drill_passes = False
    with pytest.raises(RotationStoppedError):
        world.rotation().run()
    before = world.labels()
    with pytest.raises(SecretsError, match=r"is being rotated to another value.*Nothing was"):
        world.rotation(OTHER).run()
    assert world.labels() == before


def test_the_value_in_use_is_no_new_value() -> None:
    world = World("secretsmanager")
    with pytest.raises(SecretsError, match="make a new one"):
        world.rotation(OLD).run()
    assert world.labels() == {CURRENT: OLD}


def test_a_value_that_is_no_use_changes_nothing() -> None:
    world = World("secretsmanager")
    rotation = world.rotation()

    def refuse(_: SecretStr) -> None:
        raise SecretsError("the webhook is dead")

    object.__setattr__(rotation, "check", refuse)
    with pytest.raises(SecretsError, match="dead"):
        rotation.run()
    assert world.labels() == {CURRENT: OLD}


def test_a_deployment_that_does_not_reach_the_block_lets_nothing_go() -> None:
    world = World("secretsmanager")
    rotation = world.rotation()
    object.__setattr__(rotation, "deploy", lambda: None)
    with pytest.raises(RotationStoppedError, match="holds another"):
        rotation.run()
    assert world.labels()[REPLACED] == OLD
    assert world.drilled == []


def test_a_variable_that_still_holds_the_old_value_is_named() -> None:
    world = World("environment")
    rotation = world.rotation(given=None)
    object.__setattr__(rotation, "new", Given(NEW))
    with pytest.raises(SecretsError, match="the variable SLACK_URL, which a CI step fills"):
        rotation.run()
    assert CURRENT in world.labels()
    assert world.block == OLD


def test_an_empty_secret_is_put_and_not_rotated() -> None:
    world = World("secretsmanager", value=None)
    with pytest.raises(SecretsError, match="alertctl secrets put slack-url"):
        world.rotation().run()


def test_one_that_comes_when_another_is_over_is_told_to_begin_again() -> None:
    world = World("configuration")
    late = world.rotation(OTHER).versions
    assert late.replaced() is None
    world.rotation(NEW).run()
    with pytest.raises(SecretsError, match="begin again"):
        late.keep(SecretStr(OLD))
    is_rotated(world)
