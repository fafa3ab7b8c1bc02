"""What `pulumi up` runs: settings to plan, plan to components.

settings --> plan --> SecretStore --> NotificationChannels --> AlertAutomations
                      AWS secrets      Prefect blocks           Prefect automations
"""

import sys
from pathlib import Path

# Pulumi starts the program with this folder, not the project's root, on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi

from alerting.plan import build_plan
from alerting.settings import SettingsError
from infra.components.automations import AlertAutomations
from infra.components.channels import NotificationChannels
from infra.components.secrets import SecretStore, brought_values
from infra.configuration import aws_provider, prefect_provider, read_settings


def main() -> None:
    """Declare the stack's resources. Raises RunError, before any, when a setting is wrong."""
    try:
        settings = read_settings()
        plan = build_plan(settings, pulumi.get_stack())
        brought = brought_values(plan.secrets, settings.secrets)
        aws = aws_provider()
        prefect = prefect_provider(settings)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    store = SecretStore("secrets", rules=plan.secrets, brought=brought, provider=aws)
    channels = NotificationChannels(
        "channels", rules=plan.blocks, secrets=store.values, provider=prefect
    )
    automations = AlertAutomations(
        "automations", rules=plan.automations, block_ids=channels.block_ids, provider=prefect
    )
    pulumi.export("secretArns", store.arns)
    pulumi.export("blockIds", channels.block_ids)
    pulumi.export("automationIds", automations.ids_by_tier)


main()
