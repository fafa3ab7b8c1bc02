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
# A name begins here: also after what stands for a line break in a text that is quoted, and for a
# semicolon in a URL.
_BEGINS = r"(?:(?<![a-z])|(?<=\\n)|(?<=%3b))"
_SENSITIVE_NAME = (
    rf"(?:passw(?:or)?d|passphrase|passcode|{_BEGINS}pwd|{_WORD_SECRET}|token|signature"
    rf"|credentials?|dsn|{_BEGINS}_auth"
    r"|(?:api|access|account|routing|integration|service|signing|private|auth|encryption|master"
    r"|subscription|storage|fernet|session)[_-]?key)"
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
# A sign that often ends a value is part of it where neither an end nor another name follows.
_VALUE = (
    r"(?:[^\s\\\"',;&)}\]]"
    r"|[,;&)}\]](?![\s\\\"',;&)}\]<]|$|[\w.-]{1,40}[\\\"']{0,2}\s?[=:]))+"
)
_BASE64 = r"[A-Za-z0-9+/]"


def _shape(pattern: str) -> tuple[re.Pattern[str], str]:
    """A key that is told by its shape."""
    return re.compile(pattern), REDACTED


def _after(before: str, secret: str, after: str = "") -> tuple[re.Pattern[str], str]:
    """A secret that is told by what stands before it."""
    return re.compile(f"({before}){secret}{after}", re.IGNORECASE), rf"\1{REDACTED}{after}"


_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Private keys. One that was cut off has no end.
    _shape(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    ),
    # Slack: whole URLs, and the path alone. Discord.
    _after(r"hooks\.slack(?:-gov)?\.com/", r"[\w/%-]+"),
    _after(r"/services/", r"T\w+/B\w+/\w+"),
    _after(r"discord(?:app)?\.com/api/webhooks/", r"[\w/-]+"),
    (re.compile(r"\bxox[a-z]-[\w-]+", re.IGNORECASE), REDACTED),
    # Apprise writes the keys of Slack and PagerDuty as URLs of its own.
    (re.compile(r"\b(slack|pagerduty)://[^\s\"'<>]+", re.IGNORECASE), rf"\1://{REDACTED}"),
    # User and password in any URL: also with signs that should have been escaped, and escaped.
    (
        re.compile(r"(://)[^\s/?#@:\"'<>]{0,100}:(?!\d{1,5}[/?#])[^\s\"'<>]{1,200}@"),
        rf"\1{REDACTED}@",
    ),
    (re.compile(r"(://)[^\s/?#\"'<>]+@"), rf"\1{REDACTED}@"),
    _after(r"jdbc:oracle:\w{1,10}:", r"[^\s@/]{1,100}/[^\s@]{1,100}", "@"),
    _after(r"%3a%2f%2f", r"(?:(?!%2f|%40)[^\s\"'<>]){1,300}", "%40"),
    # Authorization headers and cookies, and bearer tokens wherever they stand.
    (
        re.compile(
            r"((?:authorization|cookie)[\"']?\s{0,3}[:=]\s{0,3})[\"']?[^\r\n\"',}]+", re.IGNORECASE
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b(bearer\s+)(?=[\w.~+/-]*\d)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{REDACTED}"),
    (
        re.compile(rf"\b((?i:basic)\s+)(?={_BASE64}{{0,200}}[A-Z0-9+=]){_BASE64}{{12,}}={{0,2}}"),
        rf"\1{REDACTED}",
    ),
    # `name=value`, `name: value` and their JSON, be it escaped, where the name says that the value
    # is secret.
    (
        re.compile(
            rf"({_SENSITIVE_NAME}[\w-]{{0,30}}[\\\"']{{0,4}}\s{{0,3}}[:=]\s{{0,3}})"
            rf"(?!(?:true|false|null|none)\b)(?:{_QUOTED}|[\\\"']{{0,4}}{_VALUE})",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # The same in a URL, in XML, on a command line and in SQL. Azure's signatures.
    _after(rf"{_SENSITIVE_NAME}[\w-]{{0,30}}%3[ad]", r"(?:(?!%3b|%26)[^\s\"'<>&;])+"),
    _after(rf"<[\w:-]{{0,30}}{_SENSITIVE_NAME}[\w-]{{0,30}}>", r"[^<]+"),
    _after(rf"(?<![\w-])--[\w-]{{0,30}}{_SENSITIVE_NAME}[\w-]{{0,30}}\s{{1,3}}", r"[^\s-]\S*"),
    _after(r"\s(?:-u|--user)\s{1,3}[^\s:]{1,60}:", r"\S+"),
    _after(r"\b(?:identified\s{1,3}by|password)\s{1,3}", r"'[^']+'"),
    _after(r"\b(?<![a-z])sig=", r"[^\s&;\"'<>]+"),
    # Keys that are told by their shape: Prefect Cloud's, AWS's, JSON web tokens;
    _shape(r"\bpn[ub]_\w{8,}"),
    _shape(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    _shape(r"\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}"),
    # GitHub's, GitLab's, npm's, PyPI's;
    _shape(r"\bgh[opsur]_\w{16,}|\bgithub_pat_\w{16,}"),
    _shape(r"\bgl(?:agent|cbt|dt|ft|imt|oas|pat|ptt|rt|soat)-[\w.-]{16,}"),
    _shape(r"\bnpm_[A-Za-z0-9]{16,}|\bpypi-[\w-]{16,}"),
    # Stripe's, SendGrid's, Slack's for apps, Databricks', Snowflake's;
    _shape(r"\b[prs]k_(?:live|test)_\w{8,}|\bwhsec_\w{8,}"),
    _shape(r"\bSG\.[\w-]{8,}\.[\w-]{8,}"),
    _shape(r"\bxapp-[\w-]{8,}"),
    _shape(r"\bdapi[0-9a-f]{32}(?:-\d+)?"),
    _shape(r"\bver:\d+-hint:[\w+/=:.-]+"),
    # Google's, Vault's, Pulumi's, DigitalOcean's, and those of language models.
    _shape(r"\bAIza[\w-]{30,}|\bya29\.[\w.-]{8,}|\bGOCSPX-[\w-]{8,}"),
    _shape(r"\bhv[sbr]\.[\w-]{8,}|\bpul-[0-9a-f]{40}\b|\bdo[opr]_v1_[0-9a-f]{16,}"),
    _shape(r"\bsk-[\w-]{16,}|\bhf_[A-Za-z0-9]{16,}"),
)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a credential replaced by `[redacted]`.

    Webhook URLs, keys and passwords beside a name that says so, user and password in URLs,
    authorization headers, private keys, and keys known by their shape. A secret without any of
    these signs stays: this is the last line of defence, not a licence to log secrets.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
