"""What a channel's secret must look like, checked before Prefect or AWS sees it."""

import re

_SLACK_WEBHOOK = re.compile(
    r"https://hooks\.slack(?:-gov)?\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Z0-9]+/?",
    re.ASCII | re.IGNORECASE,
)


def variable_of(secret: str) -> str:
    """The environment variable that `from: env` reads: `slack-url` is in `SLACK_URL`."""
    return secret.replace("-", "_").upper()


def secret_value_problem(kind: str, value: str) -> str | None:
    """Say what is wrong with a channel's secret, without repeating any of it.

    Prefect checks nothing when a block is made: an http:// webhook is dropped without a word,
    and a blank PagerDuty key fails only when somebody should be paged.
    """
    return _key_problem(value) if kind == "pagerduty" else _webhook_problem(value)


def _key_problem(value: str) -> str | None:
    if not value.strip():
        return "is blank. Expected the integration key of PagerDuty's Events API V2 integration"
    if re.search(r"\s", value):
        return "contains white space. Expected the bare key; pipe it without a line break"
    if not re.fullmatch(r"[\w-]+", value, re.ASCII):
        # Such as the JSON that the AWS console stores: Prefect sends it, and nobody is paged.
        return "is not a bare key: it has other signs than letters, digits, - and _"
    return None


def _webhook_problem(value: str) -> str | None:
    if value.startswith("http://"):
        return "starts with http://, which Prefect never sends to. Expected https://"
    if not _SLACK_WEBHOOK.fullmatch(value):
        return "expected https://hooks.slack.com/services/T.../B.../..., without white space"
    return None
