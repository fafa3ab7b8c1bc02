"""What production alone must have: secrets that cannot be lost, webhooks that can be reached."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pulumi_policy import (
    PolicyResource,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)

from alerting.plan.builder import RECOVERY_WINDOW_DAYS
from alerting.settings import Environment
from alerting.settings.channel_checks import RESERVED_CHANNEL
from policy.resources import (
    BLOCK,
    SECRET,
    SECRET_VERSION,
    is_production,
    json_of,
    known,
    of_type,
    published_of,
)

RECOVERY_DAYS = RECOVERY_WINDOW_DAYS[Environment.PROD]
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# Names that no public DNS answers for, and those that documentation uses.
_PRIVATE_ENDINGS = (
    ".example",
    ".home.arpa",
    ".internal",
    ".invalid",
    ".lan",
    ".local",
    ".localhost",
    ".test",
    ".example.com",
    ".example.net",
    ".example.org",
)


def _recoverable(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    if not is_production(published_of(args.resources)):
        return
    for secret in of_type(args.resources, SECRET):
        days = int(known(secret.props, "recoveryWindowInDays", RECOVERY_DAYS))
        if days < RECOVERY_DAYS:
            report_violation(
                f"{secret.name}: can be recovered for {days} days once it is deleted. Set "
                f"recovery_window_in_days to {RECOVERY_DAYS}.",
                secret.urn,
            )
        if not secret.opts.protect:
            report_violation(
                f"{secret.name}: is not protected from deletion. Set protect=True.", secret.urn
            )


def _reachable(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    if not is_production(published_of(args.resources)):
        return
    for resource in (*of_type(args.resources, BLOCK), *of_type(args.resources, SECRET_VERSION)):
        problems = {_problem(url) for url in _urls(_content(resource))} - {None}
        for problem in sorted(map(str, problems)):
            report_violation(
                f"{resource.name}: its webhook {problem}. Put the webhook of the real channel into "
                "the secret: alertctl secrets put.",
                resource.urn,
            )


def _content(resource: PolicyResource) -> Any:  # noqa: ANN401 - any document
    if resource.resource_type == SECRET_VERSION:
        return known(resource.props, "secretString", "")
    # The published settings hold links for people, and nothing is sent to them.
    return None if resource.name == RESERVED_CHANNEL else json_of(resource.props, "data")


def _urls(value: Any) -> Iterator[str]:  # noqa: ANN401 - any document
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _urls(inner)
    elif isinstance(value, str) and _URL.match(value):
        yield value


def _problem(url: str) -> str | None:
    """What is wrong with a webhook, without repeating any of it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return "is no URL"
    if parts.scheme.lower() == "http":
        return "is sent to without encryption, by http://"
    try:
        private = not ip_address(host).is_global
    except ValueError:
        private = "." not in host or f".{host}".endswith(_PRIVATE_ENDINGS)
    return "is at an address that nobody outside a private network reaches" if private else None


POLICIES = [
    StackValidationPolicy(
        "secrets-recoverable",
        f"In production a secret is protected, and for {RECOVERY_DAYS} days a deleted one can be "
        "brought back: without its webhook nobody is told of anything.",
        _recoverable,
    ),
    StackValidationPolicy(
        "no-private-webhook",
        "In production webhooks are public and encrypted: one of a sandbox or an example takes "
        "messages that nobody reads.",
        _reachable,
    ),
]
