"""What flow-level hooks need to know of the stack, published as a Prefect secret block.

Flows run far from the stack's files; the block lets hooks follow the same settings.
"""

from pydantic import BaseModel, ConfigDict, Field

HOOKS_BLOCK = "data-alerts"


class HookPipeline(BaseModel):
    """A listed pipeline, as hooks see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flow: str = Field(description="the flow's name")
    deployment: str | None = Field(description="the deployment's name, or None for any")
    owner: str = Field(description="team that answers for it")
    runbook: str | None = Field(description="what to do when it fails")
    announce_success: bool = Field(description="whether completions are announced")


class HookSettings(BaseModel):
    """How hooks notify, and what the automations already announce."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = Field(description="runs with this tag are announced by the automation")
    failure_automation: str = Field(description="name of the automation that announces failures")
    failure_blocks: tuple[str, ...] = Field(description="block slugs that hear of a failure")
    success_blocks: tuple[str, ...] = Field(description="block slugs that hear of a completion")
    default_owner: str = Field(description="owner of flows that are not listed")
    ui_url: str = Field(description="where runs are looked at")
    pipelines: tuple[HookPipeline, ...] = Field(description="the listed pipelines")
