"""What `pulumi up` runs: settings to plan, plan to components.

settings --> plan --> SecretStore --> NotificationChannels --> AlertAutomations
                      AWS secrets      Prefect blocks           Prefect automations
"""

import sys
from pathlib import Path

# Pulumi starts the program with this folder, not the project's root, on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi
import pulumi_aws as aws
import pulumi_prefect as prefect

from alerting.adoption.things import Kind
from alerting.settings import SettingsError
from infra.components.automations import AlertAutomations
from infra.components.channels import NotificationChannels
from infra.components.secrets import SecretStore
from infra.configuration import read_configuration
from infra.preflight import preflight


def main() -> None:
    """Declare the stack's resources.

    Raises RunError, before anything is made, when a setting is wrong or a name is another's.
    """
    try:
        configuration = read_configuration()
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    plan = configuration.plan
    in_aws = aws.Provider("aws", configuration.aws)
    in_prefect = prefect.Provider("prefect", configuration.prefect)
    claims = preflight(configuration, in_aws)
    store = SecretStore(
        "secrets",
        rules=plan.secrets,
        brought=configuration.brought,
        claims=claims.of(Kind.SECRET),
        provider=in_aws,
    )
    *channel_blocks, settings_block = plan.blocks
    channels = NotificationChannels(
        "channels",
        settings=settings_block,
        rules=channel_blocks,
        secrets=store.values,
        claims=claims.of(Kind.BLOCK),
        provider=in_prefect,
    )
    automations = AlertAutomations(
        "automations",
        rules=plan.automations,
        block_ids=channels.block_ids,
        claims=claims.of(Kind.AUTOMATION),
        provider=in_prefect,
    )
    pulumi.export("secretArns", store.arns)
    pulumi.export("blockIds", channels.block_ids)
    pulumi.export("automationIds", automations.ids_by_tier)


main()
