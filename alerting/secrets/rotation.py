"""Replacing a secret's value so that alerts arrive at every moment, and at any it may be stopped.

Nothing is remembered here. Where a rotation stands is read from where things are: Secrets Manager
keeps the value that is replaced from the beginning to the end, the source tells whether the new
one is in, and the blocks whether it is deployed. So running it again goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from alerting.secrets.errors import RotationStoppedError, SecretsError
from alerting.secrets.sources import Source
from alerting.secrets.values import same


class Versions(Protocol):
    """The versions of one secret in Secrets Manager. Every method may raise SecretsError."""

    def current(self) -> SecretStr | None:
        """The value in use; None when there is none."""

    def replaced(self) -> SecretStr | None:
        """The value that a rotation under way replaces; None when none is under way."""

    def keep(self, value: SecretStr) -> None:
        """Begin a rotation: keep the value in use."""

    def forget(self, value: SecretStr) -> None:
        """End a rotation: let go of the value that it replaced."""


class NewValue(Protocol):
    """The new value, from whoever runs this. Both may raise SecretsError."""

    def required(self) -> SecretStr:
        """The value, checked; asked for where it was not given."""

    def offered(self) -> SecretStr | None:
        """The value if one was given, and None without asking."""


@dataclass(frozen=True)
class Rotation:
    """One secret's rotation, with all that it needs of the world.

    `check` raises SecretsError when a value is not fit to be used; `deployed` tells whether
    Secrets Manager and the blocks hold a value; `drill` whether its messages arrived.
    """

    secret: str
    versions: Versions
    source: Source
    new: NewValue
    check: Callable[[SecretStr], None]
    deploy: Callable[[], None]
    deployed: Callable[[SecretStr], bool]
    drill: Callable[[], bool]
    say: Callable[[str], None]

    def run(self) -> None:
        """Rotate, or go on with a rotation that was stopped.

        Raises:
            RotationStoppedError: when the new value does not prove itself; both values are kept.
            SecretsError: when a step is impossible. The steps before it stay done.
        """
        old = self._have_new_value_in()
        value = self._have_deployed()
        self.say("drilling: its messages must arrive through the new value")
        if not self.drill():
            raise self._stopped("the drill failed: a message did not arrive through the new value")
        if not same(value, self._pending()):
            raise self._stopped("the value changed while it was drilled")
        self.versions.forget(old)
        self.say("the old value is gone from Secrets Manager's labels")

    def abandon(self) -> None:
        """Put the old value back and deploy it; what was begun is over then.

        Raises what `run` does.
        """
        old = self.versions.replaced()
        if old is None:
            raise SecretsError(f"no rotation of {self.secret} is under way: nothing was changed")
        if not same(self._pending(), old):
            self.source.put_back(old)
            self.say("the old value is back in")
        self._have_deployed()
        self.versions.forget(old)

    def _have_new_value_in(self) -> SecretStr:
        """Make sure that the source holds the new value, and return the old one."""
        kept = self.versions.replaced()
        old = kept or self.versions.current()
        if old is None:
            raise SecretsError(
                f"{self.secret} has no value to replace: use `alertctl secrets put {self.secret}`"
            )
        pending = self.source.read()
        if pending is None or same(pending, old):
            new = self.new.required()
            if same(new, old):
                raise SecretsError(f"this is the value that {self.secret} has: make a new one")
            self.check(new)
            # One version is kept for each rotation: two that begin at once contend for the next.
            if kept is None:
                self.versions.keep(old)
            self.source.write(new)
            self.say("the new value is in")
            return old
        offered = self.new.offered()
        if offered and not same(offered, pending):
            raise SecretsError(
                f"{self.secret} is being rotated to another value: finish that with --resume, or "
                "put the old value back with --abandon. Nothing was changed"
            )
        if kept is None:
            self.check(pending)
            self.versions.keep(old)
        self.say("the new value is in already")
        return old

    def _have_deployed(self) -> SecretStr:
        """Make sure that what the source holds is deployed, and return it."""
        value = self._pending()
        if self.deployed(value):
            self.say("it is deployed already")
            return value
        self.say("deploying")
        self.deploy()
        if not self.deployed(value):
            raise self._stopped("after the deployment Secrets Manager or a block holds another")
        self.say("deployed: Secrets Manager and Prefect hold it")
        return value

    def _pending(self) -> SecretStr:
        value = self.source.read()
        if value is None:
            raise SecretsError(f"{self.secret} has no value where the deployment takes it from")
        return value

    def _stopped(self, why: str) -> RotationStoppedError:
        return RotationStoppedError(
            f"{why}. The old value is kept and still valid at the vendor: revoke nothing. Mend the "
            f"cause and run `alertctl secrets rotate {self.secret} --resume`, or put the old value "
            "back with --abandon"
        )
