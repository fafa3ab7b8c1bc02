"""What a channel's secret must look like, checked before Prefect or AWS sees it."""

import re

_SLACK_WEBHOOK = re.compile(
    r"https://hooks\.slack(?:-gov)?\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Z0-9]+/?",
    re.ASCII | re.IGNORECASE,
)

_PAGERDUTY_KEY = "the integration key of PagerDuty's Events API V2 integration"


def variable_of(secret: str) -> str:
    """The environment variable that `from: env` reads: `slack-url` is in `SLACK_URL`."""
    return secret.replace("-", "_").upper()


def secret_value_problem(kind: str, value: str) -> str | None:
    """Say what is wrong with a channel's secret, without repeating any of it.

    Prefect checks nothing when a block is made: an http:// webhook is dropped without a word,
    and a blank PagerDuty key fails only when somebody should be paged.
    """
    match kind:
        case "pagerduty":
            return _key_problem(value, _PAGERDUTY_KEY, "-")
        case "email":
            return _key_problem(value, "SendGrid's API key", "-.")
        case "slack":
            return _webhook_problem(value)
        case "teams":
            return _workflow_problem(value)
    return _url_problem(value)


def _key_problem(value: str, what: str, signs: str) -> str | None:
    if not value.strip():
        return f"is blank. Expected {what}"
    if re.search(r"\s", value):
        return "contains white space. Expected the bare key; pipe it without a line break"
    if not re.fullmatch(rf"[\w{re.escape(signs)}]+", value, re.ASCII):
        # Such as the JSON that the AWS console stores: Prefect sends it, and nobody is paged.
        return (
            f"is not a bare key: it has other signs than letters, digits, {' '.join(signs)} and _"
        )
    return None


def _workflow_problem(value: str) -> str | None:
    # Prefect refuses others when a message is sent, and its error shows what it refused.
    if not re.fullmatch(r"https://[^\s/@]+/\S*[?&]sig=[A-Za-z0-9_-]+(?:&\S*)?", value):
        return "expected the https:// URL of a Teams workflow, which has a sig=..."
    return None


def _url_problem(value: str) -> str | None:
    if not re.fullmatch(r"https://[^\s/@]+/\S*", value):
        return "expected an https:// URL with a path, without white space, user and password"
    return None


def _webhook_problem(value: str) -> str | None:
    if value.startswith("http://"):
        return "starts with http://, which Prefect never sends to. Expected https://"
    if not _SLACK_WEBHOOK.fullmatch(value):
        return "expected https://hooks.slack.com/services/T.../B.../..., without white space"
    return None
