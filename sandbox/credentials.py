"""The sandbox's credentials: fakes that no real service would take."""

from hashlib import sha256
from pathlib import Path

from alerting.plan import Plan, SecretRule

PASSPHRASE = "sandbox"  # noqa: S105 - guards nothing but the fake in Pulumi.sandbox.yaml
AWS_ACCESS_KEY = "sandbox-not-a-key"
# The value that Pulumi.sandbox.yaml holds encrypted.
_ENCRYPTED = {
    "slack-webhook-url": "https://hooks.slack.com/services/T00000000/B00000000/"
    "SANDBOXONLYNOTAREALWEBHOOK"
}


def fake_secrets(plan: Plan, folder: Path) -> dict[str, str]:
    """A fake for each secret of the plan, other ones for each sandbox, the same each time."""
    return {rule.key: _fake(rule, folder) for rule in plan.secrets}


def _fake(rule: SecretRule, folder: Path) -> str:
    token = sha256(f"{folder} {rule.key}".encode()).hexdigest()
    if rule.kind == "pagerduty":
        return f"sandbox{token[:25]}"
    if rule.key in _ENCRYPTED:
        return _ENCRYPTED[rule.key]
    return f"https://hooks.slack.com/services/T00000000/B00000000/SANDBOX{token[:17].upper()}"
