"""The settings reference, written from the models: `python -m alerting.settings.reference`."""

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alerting.settings.channels import (
    EmailChannel,
    PagerDutyChannel,
    SlackChannel,
    TeamsChannel,
    WebhookChannel,
)
from alerting.settings.durations import format_duration
from alerting.settings.maintenance import MaintenanceWindow
from alerting.settings.models import (
    AdoptedThings,
    DrillOptions,
    PrefectSettings,
    SecretSettings,
    SentinelOptions,
    Settings,
)
from alerting.settings.pipelines import PipelineSettings, RowRules
from alerting.settings.tiers import (
    CriticalSettings,
    EscalationStep,
    LateSettings,
    NoiseSettings,
    OutageSettings,
    OwnerChannels,
    SummarySettings,
    TiersSettings,
)

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level, each as `data-alerts:<key>`", Settings),
    ("prefect", PrefectSettings),
    ("sentinel", SentinelOptions),
    ("drill", DrillOptions),
    ("adopt", AdoptedThings),
    ("secrets.&lt;key&gt;", SecretSettings),
    ("channels.&lt;name&gt;, kind: slack", SlackChannel),
    ("channels.&lt;name&gt;, kind: pagerduty", PagerDutyChannel),
    ("channels.&lt;name&gt;, kind: teams", TeamsChannel),
    ("channels.&lt;name&gt;, kind: email", EmailChannel),
    ("channels.&lt;name&gt;, kind: webhook", WebhookChannel),
    ("tiers", TiersSettings),
    ("tiers.critical", CriticalSettings),
    ("tiers.p1", OutageSettings),
    ("tiers.late", LateSettings),
    ("escalation, each step", EscalationStep),
    ("owners.&lt;name&gt;", OwnerChannels),
    ("noise", NoiseSettings),
    ("maintenance, each window", MaintenanceWindow),
    ("dailySummary", SummarySettings),
    ("pipelines.&lt;name&gt;", PipelineSettings),
    ("pipelines.&lt;name&gt;.rows", RowRules),
)


def reference() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Written from the models by `make docs`. `alertctl check` says what is wrong with a file."
    yield ""
    yield "Durations are texts such as `30s`, `15m`, `24h`, `1h30m` or `2d`."
    yield ""
    yield "Keys of secrets and channels are your own; a key in capitals with underscores names the"
    yield "variable that `from: env` reads. A secret belongs to channels of one kind."
    for title, model in _SECTIONS:
        yield ""
        yield f"## {title}"
        yield ""
        yield "| key | required | what it is |"
        yield "| --- | --- | --- |"
        for name, field in model.model_fields.items():
            yield f"| `{field.alias or name}` | {_needed(field)} | {_meaning(name, field)} |"


def _needed(field: FieldInfo) -> str:
    return "yes" if field.is_required() else "no"


def _meaning(name: str, field: FieldInfo) -> str:
    choices = ", ".join(f"`{choice}`" for choice in _choices(field.annotation))
    default = _default(field)
    parts = [field.description or name]
    if choices:
        parts.append(f"one of {choices}")
    if default is not None:
        parts.append(f"default: `{default}`")
    return "; ".join(parts).replace("|", "\\|")


def _default(field: FieldInfo) -> str | None:
    """The default as a stack file would have it; None where there is nothing to say of it."""
    default = field.get_default(call_default_factory=True)
    if field.is_required() or default in (None, (), {}) or isinstance(default, BaseModel):
        return None
    return format_duration(default) if isinstance(default, timedelta) else str(default).lower()


def _choices(annotation: Any) -> list[str]:  # noqa: ANN401 - any annotation
    origin = get_origin(annotation)
    if origin is Literal:
        return [str(value) for value in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    if origin in (Union, UnionType, Annotated):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        return [choice for part in parts[:1] for choice in _choices(part)]
    return []


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - the page is its output
