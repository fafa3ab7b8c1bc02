"""Prefect blocks: one for each channel, and the settings that flow hooks read."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_prefect as prefect

from alerting.plan import BlockRule
from alerting.settings import PROJECT


class NotificationChannels(pulumi.ComponentResource):
    """The blocks that automations and flows notify through."""

    block_ids: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        rules: Sequence[BlockRule],
        secrets: Mapping[str, pulumi.Output[str]],
        provider: prefect.Provider,
    ) -> None:
        """Declare a block for each rule; `secrets` fill the fields that rules leave to them."""
        super().__init__(f"{PROJECT}:channels:NotificationChannels", name)
        self.block_ids = {
            rule.key: prefect.Block(
                rule.key,
                name=rule.name,
                type_slug=rule.type_slug,
                data=_data(rule, secrets),
                opts=pulumi.ResourceOptions(parent=self, provider=provider),
            ).id
            for rule in rules
        }
        self.register_outputs({"blockIds": self.block_ids})


def _data(rule: BlockRule, secrets: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[str]:
    """The block's document as JSON, secret as a whole.

    Not `data_wo`: write-only data is in Pulumi's state all the same, and its drift is not seen.
    """
    if not rule.secrets:
        return pulumi.Output.secret(json.dumps(rule.data))
    filled = {field: secrets[key] for field, key in rule.secrets.items()}
    return pulumi.Output.secret(
        pulumi.Output.all(**filled).apply(lambda values: json.dumps({**rule.data, **values}))
    )
