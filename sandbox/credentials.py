"""The sandbox's credentials: fakes that no real service would take."""

from collections.abc import Callable, Mapping
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
    if rule.key in _ENCRYPTED:
        return _ENCRYPTED[rule.key]
    token = sha256(f"{folder} {rule.key}".encode()).hexdigest()
    return _BY_KIND[rule.kind](token)


_BY_KIND: Mapping[str, Callable[[str], str]] = {
    "slack": lambda token: (
        f"https://hooks.slack.com/services/T00000000/B00000000/SANDBOX{token[:17].upper()}"
    ),
    "pagerduty": lambda token: f"sandbox{token[:25]}",
    "teams": lambda token: (
        f"https://prod-00.westeurope.logic.azure.com:443/workflows/{token[:32]}/triggers/manual"
        f"/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
        f"&sig=SANDBOX{token[:36]}"
    ),
    "email": lambda token: f"SG.sandbox{token[:16]}.{token[16:59]}",
    "webhook": lambda token: f"https://hooks.example.com/sandbox/{token}",
}
