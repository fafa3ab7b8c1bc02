"""Taking secrets out of text that people will read: logs, messages, errors.

Texts of others are not to be trusted with this: `requests`, for one, names the path of a webhook
it could not reach, and the path is the secret.
"""

import re

REDACTED = "[redacted]"

# Secrets Manager, its ARNs and Pulumi's types say `secret:` before a name.
_WORD_SECRET = r"(?<!:)(?<!secretsmanager/)secret(?!smanager)"  # noqa: S105 - a pattern
# Repetitions before the part that must match are bounded, or a long text without white space
# would take time that grows with the square of its length.
_SENSITIVE_NAME = (
    rf"(?:passw(?:or)?d|passphrase|{_WORD_SECRET}|token|signature|credentials?|dsn"
    r"|(?:api|access|account|routing|integration|service|signing|private|auth)[_-]?key)"
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Slack: whole URLs, and the path alone.
    (re.compile(r"(hooks\.slack(?:-gov)?\.com/)[\w/%-]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(/services/)T\w+/B\w+/\w+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\bxox[a-z]-[\w-]+", re.IGNORECASE), REDACTED),
    # Apprise writes the keys of Slack and PagerDuty as URLs of its own.
    (re.compile(r"\b(slack|pagerduty)://[^\s\"'<>]+", re.IGNORECASE), rf"\1://{REDACTED}"),
    # User and password in any URL.
    (re.compile(r"(://)[^\s/?#\"'<>]+@"), rf"\1{REDACTED}@"),
    # Authorization headers, and bearer tokens wherever they stand.
    (
        re.compile(r"(authorization[\"']?\s{0,3}[:=]\s{0,3})[\"']?[^\r\n\"',}]+", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b(bearer\s+)(?=[\w.~+/-]*\d)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{REDACTED}"),
    # `name=value`, `name: value` and their JSON, be it escaped, where the name says that the value
    # is secret.
    (
        re.compile(
            rf"({_SENSITIVE_NAME}[\w-]{{0,30}}[\\\"']{{0,4}}\s{{0,3}}[:=]\s{{0,3}})"
            rf"(?!(?:true|false|null|none)\b)(?:{_QUOTED}|[\\\"']{{0,4}}[^\s\\\"',;&)}}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # Keys that are told by their shape: Prefect Cloud's, AWS's, JSON web tokens.
    (re.compile(r"\bpn[ub]_\w{8,}"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a credential replaced by `[redacted]`.

    Webhook URLs, keys and passwords beside a name that says so, user and password in URLs,
    authorization headers, and keys known by their shape. A secret without any of these signs
    stays: this is the last line of defence, not a licence to log secrets.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
