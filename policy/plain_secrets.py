"""No plain secret: neither where a secret belongs nor in any text beside it."""

import json
from collections.abc import Iterator
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

from alerting.redaction import redact
from policy.resources import BLOCK, PREFECT, SECRET_VERSION

SECRET_PROPERTIES = {
    BLOCK: ("data",),
    SECRET_VERSION: ("secretString",),
    PREFECT: ("apiKey", "basicAuthKey"),
}
"""What must be a Pulumi secret, whatever it holds."""


_ENGINES_OWN = "__internal"
"""What the engine keeps of a parameterised provider: an encoded text, which looks like a key."""


class NoPlainSecret(ResourceValidationPolicy):
    """Stops what would put a secret, readable by all, into the state, the plan and the log.

    The engine tells what is secret, but the SDK passes that on to remediations alone, which may
    change a resource and not refuse it. The engine asks for both, for each resource and in this
    order, so the first call remembers what the second one reports. Nothing is remediated.
    """

    def __init__(self) -> None:
        super().__init__(
            "no-plain-secret",
            "Webhooks, keys and passwords are Pulumi secrets: whoever may read the state, an "
            "update plan or a log could alert in the team's name, or silence it.",
            enforcement_level=EnforcementLevel.REMEDIATE,
        )
        self._plain: dict[str, dict[str, str]] = {}

    def remediate(self, args: ResourceValidationArgs) -> None:
        """Remember the resource's plain texts, by their path."""
        self._plain[args.urn] = dict(_plain_texts(serialize_properties(args.props)))

    def validate(self, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        """Report, of these, those that are secrets or look like one."""
        must = SECRET_PROPERTIES.get(args.resource_type, ())
        for path, text in self._plain.pop(args.urn, {}).items():
            if path in must:
                problem = f"{path} is in plain. Wrap it: pulumi.Output.secret(...)"
            # What is in JSON comes on its own, with the path within.
            elif _document(text) is None and redact(text) != text:
                problem = (
                    f"{path} holds what looks like a webhook, key or password, in plain. Keep it "
                    "in AWS Secrets Manager, and name it in data-alerts:secrets"
                )
            else:
                continue
            report_violation(f"{args.name}: {problem}.", None)


def _plain_texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any property
    """Every text that is not within a secret, with its path, and those in a text that is JSON.

    One that is not known yet is a text too.
    """
    if isinstance(value, dict):
        if value.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            return
        for key, inner in value.items():
            if path == "" and key == _ENGINES_OWN:
                continue
            yield from _plain_texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _plain_texts(inner, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value
        yield from _plain_texts(_document(value), path)


def _document(text: str) -> Any:  # noqa: ANN401 - any document
    """What a text holds as JSON; None where it is no list or mapping."""
    try:
        return json.loads(text) if text[:1] in "[{" else None
    except ValueError:
        return None


POLICY = NoPlainSecret()
