"""How a self-hosted Prefect server is set up."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import NotMadeError, Trouble
from alerting.plan.names import ui_url_of
from alerting.settings.durations import format_duration

LEAST_BUFFER = timedelta(hours=1)
_IN_MEMORY = "prefect.server.events.ordering.memory"
_ONE_PROCESS = "prefect.server.utilities.messaging.memory"


class _Settings(BaseModel):
    """What is read of the server's settings. Other versions may lack some of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Switch(_Settings):
    enabled: bool = True


class _Services(_Settings):
    triggers: _Switch = Field(default_factory=_Switch)
    event_persister: _Switch = Field(default_factory=_Switch)


class _Events(_Settings):
    expired_bucket_buffer: timedelta | None = None
    messaging_broker: str = _ONE_PROCESS
    causal_ordering: str = _IN_MEMORY
    stream_out_enabled: bool = True


class _Server(_Settings):
    events: _Events = Field(default_factory=_Events)
    services: _Services = Field(default_factory=_Services)


class _ServerSettings(_Settings):
    ui_url: str | None = None
    server: _Server = Field(default_factory=_Server)


def server_knows_its_address(deployment: Deployment) -> Iterator[Trouble]:
    """Links that say None."""
    if not _settings(deployment).ui_url:
        yield Trouble(
            "PREFECT_UI_URL is not set for the server: what it links to by itself says None",
            f"start the server with PREFECT_UI_URL={ui_url_of(deployment.settings)}",
        )


def server_acts_on_events(deployment: Deployment) -> Iterator[Trouble]:
    """Settings by which automations do nothing, forget, or see events in a wrong order."""
    server = _settings(deployment).server
    for name, is_on, effect in (
        ("SERVICES_TRIGGERS_ENABLED", server.services.triggers.enabled, "no automation acts"),
        (
            "SERVICES_EVENT_PERSISTER_ENABLED",
            server.services.event_persister.enabled,
            "no event is kept, and the sentinel cannot catch up",
        ),
        (
            "EVENTS_STREAM_OUT_ENABLED",
            server.events.stream_out_enabled,
            "the sentinel is not told of runs",
        ),
    ):
        if not is_on:
            variable = f"PREFECT_SERVER_{name}"
            yield Trouble(f"{variable} is off: {effect}", f"start the server with {variable}=true")
    buffer = server.events.expired_bucket_buffer
    if buffer is not None and buffer < LEAST_BUFFER:
        yield Trouble(
            f"an escalation that falls due while the server is away for longer than "
            f"{format_duration(buffer)} is lost",
            "start the server with PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER=PT1H",
        )
    if server.events.messaging_broker != _ONE_PROCESS and (
        server.events.causal_ordering == _IN_MEMORY
    ):
        yield Trouble(
            "several server processes may share the events, and each orders its own alone: a "
            "recovery may be taken for the past",
            "start the servers with PREFECT_SERVER_EVENTS_CAUSAL_ORDERING="
            "prefect.server.events.ordering.db, or that of prefect_redis",
        )


def _settings(deployment: Deployment) -> _ServerSettings:
    if deployment.settings.prefect.is_cloud:
        raise NotMadeError("the settings of Prefect Cloud are Prefect's own")
    try:
        return _ServerSettings.model_validate(deployment.prefect.get("/admin/settings").document)
    except ValidationError:
        raise NotMadeError(
            "the server's settings are of a version that is not known here"
        ) from None
