"""Prefect blocks: one for each channel, and the settings that flow hooks read."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_prefect as prefect

from alerting.adoption.claims import NEW, Claim
from alerting.plan import BlockRule
from alerting.settings import PROJECT


class NotificationChannels(pulumi.ComponentResource):
    """The blocks that automations and flows notify through."""

    block_ids: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        settings: BlockRule,
        rules: Sequence[BlockRule],
        secrets: Mapping[str, pulumi.Output[str]],
        claims: Mapping[str, Claim],
        provider: prefect.Provider,
    ) -> None:
        """Declare a block for each rule; `secrets` fill the fields that rules leave to them.

        The one with the published `settings` is the first: what it lists is known as the stack's
        from then on, also after a deployment that ends half way. `claims` are by key.
        """
        super().__init__(f"{PROJECT}:channels:NotificationChannels", name)
        self._provider = provider
        self._claims = claims
        published = self._block(settings, secrets, [])
        self.block_ids = {rule.key: self._block(rule, secrets, [published]).id for rule in rules}
        self.block_ids[settings.key] = published.id
        self.register_outputs({"blockIds": self.block_ids})

    def _block(
        self,
        rule: BlockRule,
        secrets: Mapping[str, pulumi.Output[str]],
        after: Sequence[pulumi.Resource],
    ) -> prefect.Block:
        claim = self._claims.get(rule.key, NEW)
        return prefect.Block(
            rule.key,
            name=rule.name,
            type_slug=rule.type_slug,
            data=_data(rule, secrets),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._provider,
                depends_on=after,
                import_=claim.import_id,
                aliases=[pulumi.Alias(name=key) for key in claim.moved_from],
            ),
        )


def _data(rule: BlockRule, secrets: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[str]:
    """The block's document as JSON, secret as a whole.

    Not `data_wo`: write-only data is in Pulumi's state all the same, and its drift is not seen.
    """
    if not rule.secrets:
        return pulumi.Output.secret(json.dumps(rule.data))
    needed = {key: secrets[key] for key in rule.secrets.values()}
    return pulumi.Output.secret(
        pulumi.Output.all(**needed).apply(lambda values: json.dumps(rule.document(values)))
    )
