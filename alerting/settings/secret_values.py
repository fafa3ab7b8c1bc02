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
    if kind == "pagerduty":
        if not value.strip():
            return "is blank. Expected the integration key of PagerDuty's Events API V2 integration"
        if re.search(r"\s", value):
            return "contains white space. Expected the bare key; pipe it without a line break"
        return None
    if value.startswith("http://"):
        return "starts with http://, which Prefect never sends to. Expected https://"
    if not _SLACK_WEBHOOK.fullmatch(value):
        return "expected https://hooks.slack.com/services/T.../B.../..., without white space"
    return None
