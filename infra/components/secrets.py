"""AWS Secrets Manager secrets, and their values for whoever feeds a block."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from alerting.adoption.claims import NEW, Claim
from alerting.plan import SecretRule
from alerting.redaction import redact
from alerting.settings import PROJECT
from alerting.settings.secret_values import secret_value_problem

# What AWS, and its provider, say of a secret without a value.
_EMPTY = ("ResourceNotFoundException", "couldn't find resource", "specified secret value")


class SecretStore(pulumi.ComponentResource):
    """Owns the secrets, and their versions where the stack brings the value.

    Values of `from: secretsmanager` are put there out of band and read at deployment; such a
    secret is adopted when it exists. When it is still empty the deployment ends with an error
    that says how to fill it, with nothing removed.
    """

    values: dict[str, pulumi.Output[str]]
    arns: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        rules: Sequence[SecretRule],
        brought: Mapping[str, str],
        claims: Mapping[str, Claim],
        provider: aws.Provider,
    ) -> None:
        """Declare the secrets; `brought` are values that the stack brings. All is by key."""
        super().__init__(f"{PROJECT}:secrets:SecretStore", name)
        self._provider = provider
        self.values, self.arns = {}, {}
        for rule in rules:
            value = brought.get(rule.key)
            secret = self._secret(rule, claims.get(rule.key, NEW))
            self.arns[rule.key] = secret.arn
            self.values[rule.key] = (
                self._read(rule, secret) if value is None else self._write(rule, secret, value)
            )
        self.register_outputs({"arns": self.arns})

    def _secret(self, rule: SecretRule, claim: Claim) -> aws.secretsmanager.Secret:
        return aws.secretsmanager.Secret(
            rule.key,
            name=rule.name,
            description=rule.description,
            tags=dict(rule.tags),
            kms_key_id=rule.kms_key_id,
            recovery_window_in_days=rule.recovery_window_days,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._provider,
                protect=rule.protect,
                import_=claim.import_id,
                aliases=[pulumi.Alias(name=key) for key in claim.moved_from],
            ),
        )

    def _write(
        self, rule: SecretRule, secret: aws.secretsmanager.Secret, value: str
    ) -> pulumi.Output[str]:
        version = aws.secretsmanager.SecretVersion(
            rule.key,
            secret_id=secret.id,
            secret_string=pulumi.Output.secret(value),
            # Not protected as its parent is: a changed value replaces the version.
            opts=pulumi.ResourceOptions(parent=secret, provider=self._provider, protect=False),
        )
        # From the version and not from the settings: the block follows what AWS accepted.
        return pulumi.Output.secret(version.secret_string.apply(lambda text: text or ""))

    def _read(self, rule: SecretRule, secret: aws.secretsmanager.Secret) -> pulumi.Output[str]:
        command = f"alertctl secrets put {rule.key} --stack {pulumi.get_stack()}"
        fill = f"Fill it and deploy again: {command}, which asks for it or takes it by a pipe"

        def current(arn: str) -> str:
            try:
                found = aws.secretsmanager.get_secret_version(
                    secret_id=arn,
                    opts=pulumi.InvokeOptions(parent=self, provider=self._provider),
                )
            except Exception as error:
                raise pulumi.RunError(_unreadable(rule.name, str(error), fill)) from error
            problem = secret_value_problem(rule.kind, found.secret_string)
            if problem:
                raise pulumi.RunError(f"The value of {rule.name} {problem}. {fill}")
            return found.secret_string

        return pulumi.Output.secret(secret.arn.apply(current))


def _unreadable(name: str, reason: str, fill: str) -> str:
    """Tell an empty secret from one that may not be read: filling the latter would destroy it."""
    if any(words in reason for words in _EMPTY):
        return f"{name} has no value yet. {fill}"
    return (
        f"{name} cannot be read, which needs secretsmanager:GetSecretValue, and kms:Decrypt where "
        f"it has a key of its own: {redact(reason)}"
    )
