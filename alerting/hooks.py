"""Notifications that a flow sends itself: hooks for `@flow(on_failure=[notify_on_failure])`.

They follow the settings that the stack published (`PublishedSettings`) and send through its blocks.

The hooks are async functions because those alone are right wherever Prefect calls hooks from:
the engine of a sync flow runs them to their end on a loop of its own, the engine of an async flow
and the runner await them. In a sync hook of an async flow, blocks return coroutines that nobody
awaits. Their parameters keep Prefect's names since the runner passes them by name.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from prefect import Flow, State, get_client
from prefect.blocks.abstract import NotificationError
from prefect.blocks.core import Block
from prefect.blocks.notifications import AbstractAppriseNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import FlowRun
from prefect.logging.loggers import PrefectLogAdapter, flow_run_logger
from prefect.settings import PREFECT_UI_URL

from alerting.loads import report_load
from alerting.plan.forms import Form
from alerting.plan.message import Incident, Message
from alerting.plan.names import Names
from alerting.plan.published import SETTINGS_BLOCK, PublishedSettings
from alerting.plan.rules import Tier
from alerting.redaction import redact

__all__ = [
    "NAME_PREFIX_VARIABLE",
    "always_notify_on_failure",
    "notify_on_completion",
    "notify_on_failure",
    "report_load",
]

NAME_PREFIX_VARIABLE = "DATA_ALERTS_NAME_PREFIX"
"""The environment variable that holds the stack's `namePrefix`, where it has one."""

FALLBACK_BLOCK = "alerts"
"""The Slack block that hears of failures when the stack's settings cannot be read."""

TOTAL_SECONDS = 10.0
LOOKUP_SECONDS = 3.0
ERROR_LENGTH = 400


class SendError(Exception):
    """A notification did not reach a block. The text says which and why, without secrets."""


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended, and how. `deployment` is a name, None for an ad hoc run."""

    flow: str
    deployment: str | None
    run: FlowRun
    state: State[Any]


async def notify_on_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Announce a failed or crashed run, unless the stack's automation announces it."""
    logger = flow_run_logger(flow_run, flow)
    async with _harmless(logger):
        settings = await _load_settings(logger)
        automation = settings.failure_automation
        if not await _is_announced(flow_run, settings.tag, automation, logger):
            await _announce_failure(flow, flow_run, state, settings)


async def always_notify_on_failure(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]
) -> None:
    """Announce a failed or crashed run, also when the stack's automation announces it."""
    logger = flow_run_logger(flow_run, flow)
    async with _harmless(logger):
        await _announce_failure(flow, flow_run, state, await _load_settings(logger))


async def notify_on_completion(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Announce a completed run of a pipeline with `announceSuccess`, and of no other.

    Not where the stack's automation announces it.
    """
    logger = flow_run_logger(flow_run, flow)
    async with _harmless(logger):
        settings = await _load_settings(logger)
        ended = EndedRun(flow.name, await _deployment_name(flow_run), flow_run, state)
        pipeline = settings.pipeline_of(ended.flow, ended.deployment)
        announced = await _is_announced(flow_run, settings.tag, settings.success_automation, logger)
        if pipeline and pipeline.announce_success and not announced:
            await _send(settings.success_blocks, completion_message(ended, settings))


def failure_message(ended: EndedRun, settings: PublishedSettings) -> Message:
    """Say what the automation's message says of a failure."""
    error = _shortened(redact(ended.state.message or "none given"))
    return _message(Tier.WARNING, "failed", ended, settings, (("Error", error),))


def completion_message(ended: EndedRun, settings: PublishedSettings) -> Message:
    """Say that a run completed; good news looks as a recovery does."""
    return _message(Tier.RECOVERY, "completed", ended, settings)


def _message(
    tier: Tier,
    outcome: str,
    ended: EndedRun,
    settings: PublishedSettings,
    details: tuple[tuple[str, str], ...] = (),
) -> Message:
    pipeline = settings.pipeline_of(ended.flow, ended.deployment)
    state, run = ended.state, ended.run
    fields = (
        ("Flow", ended.flow),
        ("Deployment", ended.deployment or "none, an ad hoc run"),
        ("Run", f"{run.name} ({run.id})"),
        ("State", f"{state.name} at {state.timestamp:%Y-%m-%d %H:%M:%S UTC}"),
        *details,
        ("Owner", pipeline.owner if pipeline else settings.default_owner),
        ("Runbook", (pipeline and pipeline.runbook) or "none yet"),
        ("Look", f"{settings.ui_url}/runs/flow-run/{run.id}"),
    )
    # A hook tells Slack alone, which has no incidents.
    incident = Incident(ended.flow, ended.flow, settings.stack or "")
    subject = f"Pipeline {outcome}: {ended.flow}"
    return Message(tier, subject, f"{ended.flow} {outcome}.", fields, incident)


async def _announce_failure(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], settings: PublishedSettings
) -> None:
    ended = EndedRun(flow.name, await _deployment_name(flow_run), flow_run, state)
    await _send(settings.failure_blocks, failure_message(ended, settings))


@asynccontextmanager
async def _harmless(logger: PrefectLogAdapter) -> AsyncIterator[None]:
    """Bound a hook's time, and log in one line what goes wrong instead of raising it."""
    problem = None
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            yield
    except TimeoutError:
        problem = f"Gave up after {TOTAL_SECONDS:.0f} s"
    except Exception as error:  # noqa: BLE001 - the run's own outcome stands, whatever this was
        problem = _one_line(error)
    if problem:
        logger.error("Not everybody was told how this run ended. %s", problem)


async def _load_settings(logger: PrefectLogAdapter) -> PublishedSettings:
    """Read what the stack published; without it, settings that tell one channel of failures."""
    name = _block_name(SETTINGS_BLOCK)
    problem = "does not fit this version of alerting; deploy the stack and the flow with one"
    try:
        block: Secret[Any] = await Secret.aload(name)
    except ValueError:  # how Prefect says that there is no such block
        problem = (
            "is missing; deploy the stack with `pulumi up`, or set "
            f"{NAME_PREFIX_VARIABLE} to the stack's namePrefix"
        )
    else:
        with suppress(ValueError):
            return PublishedSettings.unpacked(block.get())
    fallback = f"slack-webhook/{_block_name(FALLBACK_BLOCK)}"
    logger.warning(
        "Block secret/%s %s. Until then failures alone are announced, to %s.",
        name,
        problem,
        fallback,
    )
    return PublishedSettings(
        tag="",
        failure_automation="",
        failure_blocks=(fallback,),
        success_blocks=(),
        default_owner="unknown",
        ui_url=PREFECT_UI_URL.value() or "(PREFECT_UI_URL is not set)",
        pipelines=(),
    )


def _block_name(name: str) -> str:
    return Names(os.environ.get(NAME_PREFIX_VARIABLE), tag="").block(name)


async def _is_announced(
    flow_run: FlowRun, tag: str, automation: str | None, logger: PrefectLogAdapter
) -> bool:
    """Whether an automation of this name announces the end of this run."""
    if automation is None or tag not in flow_run.tags:
        return False
    try:
        async with asyncio.timeout(LOOKUP_SECONDS), get_client() as client:
            automations = await client.read_automations_by_name(automation)
    except Exception as error:  # noqa: BLE001 - rather announced twice than never
        logger.warning(
            "Could not ask for automation %r, so this run may be announced twice. %s",
            automation,
            _one_line(error),
        )
        return False
    return any(each.enabled for each in automations)


async def _deployment_name(flow_run: FlowRun) -> str | None:
    if flow_run.deployment_id is None:
        return None
    try:
        async with asyncio.timeout(LOOKUP_SECONDS), get_client() as client:
            return (await client.read_deployment(flow_run.deployment_id)).name
    except Exception:  # noqa: BLE001 - a message with an id is better than none
        return str(flow_run.deployment_id)


async def _send(blocks: Sequence[str], message: Message) -> None:
    """Send to each block, whether or not the others can be reached; raise SendError after that."""
    if not blocks:
        raise SendError("The stack names no Slack channel for this; see its tiers")
    subject, body = message.text(Form.SLACK)
    results = await asyncio.gather(
        *(_send_to(slug, subject, body) for slug in blocks), return_exceptions=True
    )
    problems = [
        f"{slug}: {_one_line(result)}"
        for slug, result in zip(blocks, results, strict=True)
        if isinstance(result, BaseException)
    ]
    if problems:
        raise SendError("; ".join(problems))


async def _send_to(slug: str, subject: str, body: str) -> None:
    block: Block = await Block.aload(slug)
    if not isinstance(block, AbstractAppriseNotificationBlock):
        raise SendError("is not a block that notifies")
    # Without this a refused webhook passes for a success.
    with block.raise_on_failure():
        await block.anotify(body, subject)


def _one_line(error: BaseException) -> str:
    match error:
        case SendError():
            text = str(error)
        case NotificationError():  # whose own text is empty
            text = error.log
        case _:
            text = f"{type(error).__name__}: {error}"
    return _shortened(" ".join(redact(text).split()))


def _shortened(text: str) -> str:
    return text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 3] + "..."
