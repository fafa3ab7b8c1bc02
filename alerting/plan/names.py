"""Every name that the plan gives, made in one place from the settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from alerting.settings import Environment, Settings


@dataclass(frozen=True)
class Names:
    """Names of one stack's things, with its prefix where stacks share an account."""

    prefix: str | None
    tag: str

    def secret(self, name: str) -> str:
        """Name of a secret in AWS."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def block(self, name: str) -> str:
        """Name of a block in Prefect."""
        return f"{self.prefix}-{name}" if self.prefix else name

    def scope(self, stack: str) -> str:
        """What tells a stack's events from those of others in the same workspace."""
        return f"{self.prefix}.{stack}" if self.prefix else stack

    def automation(self, title: str) -> str:
        """Name of an automation in Prefect, which starts with the tag it watches."""
        name = f"{self.tag.upper()} {title}"
        return f"[{self.prefix}] {name}" if self.prefix else name


def names_of(settings: Settings) -> Names:
    """The names a stack's settings ask for."""
    return Names(settings.name_prefix, settings.tag)


def environment_of(settings: Settings, stack: str) -> Environment:
    """What the stack is for. One with a name of its own is guarded as production is."""
    if settings.environment:
        return settings.environment
    return Environment(stack) if stack in set(Environment) else Environment.PROD


def ui_url_of(settings: Settings) -> str:
    """Where people look at runs.

    Prefect's own `ui_url` filter prints None on a server that was not told its address, so links
    are made from the settings: a server's page is beside its API, Cloud's has a host of its own.
    """
    prefect = settings.prefect
    if prefect.ui_url:
        return prefect.ui_url
    if not prefect.is_cloud:
        return prefect.endpoint.removesuffix("/api")
    path = urlsplit(prefect.endpoint).path.removeprefix("/api")
    path = path.replace("/accounts/", "/account/").replace("/workspaces/", "/workspace/")
    return f"https://app.prefect.cloud{path}"
