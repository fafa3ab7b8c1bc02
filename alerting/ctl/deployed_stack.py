"""A stack as its workspace has it, seen to be the one that was asked for."""

from prefect.client.orchestration import PrefectClient

from alerting.plan.names import names_of
from alerting.plan.published import PublishedSettings
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from alerting.sentinel.workspace import NotDeployedError
from alerting.settings.stackfile import StackFile


async def deployed_settings(client: PrefectClient, found: StackFile) -> PublishedSettings:
    """The settings as a stack's deployment published them.

    Raises:
        NotDeployedError: when there are none, or those of another stack of the same names.
        httpx.HTTPError: when Prefect cannot be asked.
    """
    settings = await PrefectWorkspace(client, found.settings.name_prefix).published()
    check_stack(found, settings)
    return settings


def check_stack(found: StackFile, settings: PublishedSettings) -> None:
    """Refuse a stack of the same names that is not the one that was asked for.

    Raises NotDeployedError.
    """
    wanted = names_of(found.settings).scope(found.stack)
    deployed = settings.drills.scope if settings.drills else wanted
    if deployed != wanted:
        raise NotDeployedError(
            f"the workspace holds stack {deployed!r} and not {wanted!r}: deploy it, or mend the "
            "endpoint"
        )
