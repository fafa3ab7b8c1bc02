"""Is a secret there, does Prefect hold the same, and does the vendor accept it?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr

from alerting.secrets.declared import BlockField, DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.secrets.secrets_manager import Presence, Stored
from alerting.secrets.values import same
from alerting.secrets.webhooks import Answer, Pulse
from alerting.settings.secret_values import secret_value_problem

AskVendor = Callable[[str, SecretStr], Answer]


class Values(Protocol):
    """Where values are stored."""

    def stored(self, name: str) -> Stored:
        """What there is under a name."""

    def current(self, name: str) -> SecretStr | None:
        """The value in use; None when there is none."""


class Blocks(Protocol):
    """Prefect's blocks."""

    def value(self, field: BlockField) -> SecretStr | None:
        """What a block's field holds; None when there is no such block."""


class Verdict(StrEnum):
    """What a check found."""

    GOOD = "good"
    WRONG = "wrong"
    UNPROVABLE = "unproven"
    UNKNOWN = "unknown"
    """It could not be checked: somebody does not answer."""


@dataclass(frozen=True)
class Finding:
    """One check of one secret."""

    secret: str
    verdict: Verdict
    text: str


def verify(
    secret: DeclaredSecret, values: Values, blocks: Blocks, ask: AskVendor
) -> Iterator[Finding]:
    """Check one secret; what cannot be checked is a finding as well."""
    try:
        value, finding = _in_store(secret, values)
    except SecretsError as error:
        yield Finding(secret.key, Verdict.UNKNOWN, str(error))
        return
    yield finding
    if value is None:
        return
    for field in secret.fields:
        yield _in_block(secret, value, field, blocks)
    if not secret.fields:
        yield Finding(secret.key, Verdict.WRONG, "no channel uses it. Name it in one, or remove it")
    elif finding.verdict is Verdict.GOOD:
        yield _at_vendor(secret, value, ask)


def _in_store(secret: DeclaredSecret, values: Values) -> tuple[SecretStr | None, Finding]:
    stored = values.stored(secret.name)
    if stored.presence is not Presence.PRESENT:
        return None, Finding(secret.key, Verdict.WRONG, _absence(secret, stored))
    value = values.current(secret.name)
    if value is None:
        return None, Finding(secret.key, Verdict.WRONG, f"{secret.name} is empty")
    problem = secret_value_problem(secret.rule.kind, value.get_secret_value())
    if problem:
        return value, Finding(secret.key, Verdict.WRONG, f"{secret.name} {problem}")
    changed = f" since {stored.changed:%Y-%m-%d}" if stored.changed else ""
    return value, Finding(secret.key, Verdict.GOOD, f"{secret.name} holds a value{changed}")


def _absence(secret: DeclaredSecret, stored: Stored) -> str:
    by_hand = f"`alertctl secrets put {secret.key}`"
    remedy = {
        Presence.SCHEDULED: f"restore it with {by_hand} or `aws secretsmanager restore-secret`",
        Presence.EMPTY: f"fill it with {by_hand}",
        Presence.MISSING: f"make it with {by_hand}, or deploy",
    }[stored.presence]
    return f"{secret.name} is {stored.in_words}: {remedy}"


def _in_block(
    secret: DeclaredSecret, value: SecretStr, field: BlockField, blocks: Blocks
) -> Finding:
    try:
        held = blocks.value(field)
    except SecretsError as error:
        return Finding(secret.key, Verdict.UNKNOWN, str(error))
    if held is None:
        return Finding(secret.key, Verdict.WRONG, f"block {field} is missing: deploy the stack")
    if not same(held, value):
        text = f"block {field} holds another value: deploy the stack"
        return Finding(secret.key, Verdict.WRONG, text)
    return Finding(secret.key, Verdict.GOOD, f"block {field} holds the same")


def _at_vendor(secret: DeclaredSecret, value: SecretStr, ask: AskVendor) -> Finding:
    answer = ask(secret.rule.kind, value)
    verdict = {
        Pulse.LIVE: Verdict.GOOD,
        Pulse.DEAD: Verdict.WRONG,
        Pulse.UNKNOWN: Verdict.UNKNOWN,
        Pulse.UNASKED: Verdict.UNPROVABLE,
    }[answer.pulse]
    return Finding(secret.key, verdict, answer.text)
