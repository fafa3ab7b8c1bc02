"""The stand-in for `pulumi-resource-terraform-provider` as a bridge to the Prefect provider."""

import base64
import json

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.guard import require_loopback
from sandbox.plugins.prefect_api import Patience, PrefectApi
from sandbox.plugins.prefect_automation import Automation
from sandbox.plugins.prefect_block import Block
from sandbox.plugins.provider import Connection
from sandbox.plugins.values import Properties

PACKAGE, PACKAGE_VERSION, SOURCE = "prefect", "3.4.1", "prefecthq/prefect"
CONFIG = frozenset({"endpoint", "apiKey", "basicAuthKey", "version"})


class PrefectBridge:
    """Blocks and automations on a Prefect server."""

    version = "1.1.3"
    config_secrets = frozenset({"apiKey", "basicAuthKey"})

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()

    def parameterize(self, name: str, value: bytes) -> str:
        """Become the Prefect provider; there is no other."""
        try:
            remote = json.loads(value)["remote"]
            asked = f"{name} from {remote['url']} {remote['version']}"
            known = remote["url"].endswith(SOURCE) and remote["version"] == PACKAGE_VERSION
        except (ValueError, KeyError):
            asked, known = "something else", False
        if name != PACKAGE or not known:
            raise ProviderError(
                f"This stand-in, which is for tests only, bridges {SOURCE} {PACKAGE_VERSION} and "
                f"was asked for {asked}."
            )
        return PACKAGE_VERSION

    def config_problems(self, config: Properties) -> list[str]:
        """Refuse what would reach past this machine, and what only Prefect Cloud has."""
        problems = [
            f"The provider's {key} is not supported by this stand-in, which is for tests only."
            for key in sorted(config.keys() - CONFIG)
        ]
        endpoint = config.get("endpoint", "")
        if endpoint.endswith("/"):
            problems.append(f"The provider's endpoint {endpoint} must not end in a slash.")
        try:
            require_loopback(endpoint)
        except ProviderError as error:
            problems.append(str(error))
        return problems

    def connect(self, config: Properties) -> Connection:
        """Talk to the server at the endpoint."""
        api = PrefectApi(config["endpoint"], _authorization(config), self._patience)
        block, automation = Block(api), Automation(api)
        return Connection(
            resources={
                "prefect:index/block:Block": block,
                "prefect:index/automation:Automation": automation,
            },
            functions={
                "prefect:index/getBlock:getBlock": block.found,
                "prefect:index/getAutomation:getAutomation": automation.found,
            },
            function_secrets=frozenset({"data"}),
            cancel=api.cancel,
        )


def _authorization(config: Properties) -> dict[str, str]:
    if key := config.get("basicAuthKey"):
        return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    if key := config.get("apiKey"):
        return {"Authorization": f"Bearer {key}"}
    return {}
