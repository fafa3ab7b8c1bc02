import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import Flow, State
from prefect.blocks.core import Block
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import FlowRun
from prefect.states import Completed, Crashed, Failed
from pydantic import SecretStr

from alerting import hooks
from alerting.hooks import always_notify_on_failure, notify_on_completion, notify_on_failure
from alerting.plan.messages import Messages
from alerting.plan.published import PublishedPipeline, PublishedSettings
from alerting.settings import Settings

pytestmark = pytest.mark.tools

Hook = Callable[..., Coroutine[Any, Any, None]]

WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/FAKEFAKEFAKE"
ORDERS = PublishedPipeline(
    name="orders",
    flow="orders",
    owner="web",
    runbook="https://wiki.example.com/orders",
)
NIGHTLY_ORDERS = PublishedPipeline(
    name="orders",
    flow="orders",
    deployment="nightly",
    owner="night-shift",
    runbook=None,
    announce_success=True,
)
SETTINGS = PublishedSettings(
    tag="dlt",
    failure_automation="DLT Pipeline Failure Alert",
    failure_blocks=("slack-webhook/alerts",),
    success_blocks=("slack-webhook/info",),
    default_owner="data-platform",
    ui_url="https://prefect.example.com",
    pipelines=(ORDERS, NIGHTLY_ORDERS),
)


@dataclass
class FakePrefect:
    """What hooks ask of Prefect, and what they send through its blocks."""

    settings: object = field(default_factory=SETTINGS.packed)
    automations: tuple[bool, ...] = ()
    deployment: str = "nightly"
    lookup_error: Exception | None = None
    broken_blocks: dict[str, Exception] = field(default_factory=dict)
    delay: float = 0.0
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)

    async def load_settings(self, name: str) -> Secret[Any]:
        self.asked_for.append(f"secret/{name}")
        if isinstance(self.settings, Exception):
            raise self.settings
        return Secret.model_validate({"value": self.settings})

    async def load_block(self, slug: str) -> Block:
        if slug.startswith("secret/"):
            return Secret[str](value=SecretStr("fake"))
        block = SlackWebhook(url=SecretStr(WEBHOOK))
        block._block_document_name = slug
        return block

    def anotify(self) -> Callable[[SlackWebhook, str, str], Awaitable[None]]:
        async def method(block: SlackWebhook, body: str, subject: str) -> None:
            slug = str(block._block_document_name)
            await asyncio.sleep(self.delay)
            # A block hides its failure unless it is told to raise.
            if slug in self.broken_blocks and block._raise_on_failure:
                raise self.broken_blocks[slug]
            self.sent.append((slug, subject, body))

        return method

    @asynccontextmanager
    async def client(self) -> AsyncIterator["FakePrefect"]:
        if self.lookup_error:
            raise self.lookup_error
        yield self

    async def read_automations_by_name(self, name: str) -> list[SimpleNamespace]:
        assert name == SETTINGS.failure_automation
        return [SimpleNamespace(enabled=enabled) for enabled in self.automations]

    async def read_deployment(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(name=self.deployment)


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    fake = FakePrefect()
    monkeypatch.delenv(hooks.NAME_PREFIX_VARIABLE, raising=False)
    monkeypatch.setattr(Secret, "aload", fake.load_settings)
    monkeypatch.setattr(Block, "aload", fake.load_block)
    monkeypatch.setattr(SlackWebhook, "anotify", fake.anotify())
    monkeypatch.setattr(hooks, "get_client", fake.client)
    # Prefect's own logger would send to an API.
    logger = logging.LoggerAdapter(logging.getLogger("run"), {})
    monkeypatch.setattr(hooks, "flow_run_logger", lambda *_: logger)
    return fake


def run_hook(
    hook: Hook,
    state: State[Any] | None = None,
    *,
    tags: tuple[str, ...] = (),
    deployed: bool = False,
) -> FlowRun:
    run = FlowRun(
        flow_id=uuid4(),
        name="brave-ant",
        tags=list(tags),
        deployment_id=uuid4() if deployed else None,
    )
    flow = Flow(lambda: None, name="orders")
    # By name, as Prefect's runner does.
    asyncio.run(hook(flow=flow, flow_run=run, state=state or Failed(message="no rows")))
    return run


def test_a_failure_is_told_with_what_a_responder_needs(prefect: FakePrefect) -> None:
    state: State[Any] = Failed(message="no rows")
    run = run_hook(notify_on_failure, state)
    ((slug, subject, body),) = prefect.sent
    assert slug == "slack-webhook/alerts"
    assert subject == ":x: Pipeline failed: orders"
    assert body.splitlines() == [
        "orders failed.",
        "*Flow*: orders",
        "*Deployment*: none, an ad hoc run",
        f"*Run*: brave-ant ({run.id})",
        f"*State*: Failed at {state.timestamp:%Y-%m-%d %H:%M:%S} UTC",
        "*Error*: no rows",
        "*Owner*: web",
        "*Runbook*: https://wiki.example.com/orders",
        f"*Look*: https://prefect.example.com/runs/flow-run/{run.id}",
    ]


def test_a_failure_is_told_in_the_form_of_the_automations() -> None:
    settings = Settings.model_validate(
        {
            "prefect": {"endpoint": "https://prefect.example.com/api"},
            "channels": {"alerts": {"kind": "slack", "block": "alerts", "secret": "url"}},
            "tiers": {"warning": {"notify": ["alerts"]}},
        }
    )
    automatic = Messages(settings, "example").failure()
    ended = hooks.EndedRun("orders", None, FlowRun(flow_id=uuid4(), name="a"), Failed())
    message = hooks.failure_message(ended, SETTINGS)
    assert message.subject == automatic.subject.replace("{{ flow.name }}", "orders")
    assert message.sentence == automatic.sentence.replace("{{ flow.name }}", "orders")
    assert [label for label, _ in message.fields] == [label for label, _ in automatic.fields]


def test_a_pipeline_is_found_by_its_deployment_before_its_flow(prefect: FakePrefect) -> None:
    run_hook(notify_on_failure, deployed=True)
    assert "*Deployment*: nightly" in prefect.sent[0][2]
    assert "*Owner*: night-shift" in prefect.sent[0][2]


def test_a_deployment_that_is_not_listed_belongs_to_its_flow(prefect: FakePrefect) -> None:
    prefect.deployment = "hourly"
    run_hook(notify_on_failure, deployed=True)
    assert "*Owner*: web" in prefect.sent[0][2]


def test_a_flow_that_is_not_listed_has_the_default_owner(prefect: FakePrefect) -> None:
    prefect.settings = SETTINGS.model_copy(update={"pipelines": ()}).packed()
    run_hook(notify_on_failure)
    assert "*Owner*: data-platform\n*Runbook*: none yet" in prefect.sent[0][2]


def test_a_long_error_is_shortened_and_its_secrets_are_taken_out(prefect: FakePrefect) -> None:
    run_hook(notify_on_failure, Failed(message=f"{WEBHOOK} {'x' * 10_000}"))
    body = prefect.sent[0][2]
    assert "FAKEFAKE" not in body
    assert len(body) < 1000


def test_a_crash_without_a_message_is_told_too(prefect: FakePrefect) -> None:
    run_hook(notify_on_failure, Crashed(message=None))
    assert "*State*: Crashed at" in prefect.sent[0][2]
    assert "*Error*: none given" in prefect.sent[0][2]


def test_a_tagged_failure_is_left_to_the_enabled_automation(prefect: FakePrefect) -> None:
    prefect.automations = (False, True)
    run_hook(notify_on_failure, tags=("dlt",))
    assert prefect.sent == []


def test_the_always_hook_tells_beside_the_automation(prefect: FakePrefect) -> None:
    prefect.automations = (True,)
    run_hook(always_notify_on_failure, tags=("dlt",))
    assert len(prefect.sent) == 1


@pytest.mark.parametrize(
    ("tags", "automations"),
    [(("other",), (True,)), (("dlt",), (False,)), (("dlt",), ())],
    ids=["another tag", "disabled", "missing"],
)
def test_a_failure_that_no_automation_announces_is_told(
    prefect: FakePrefect, tags: tuple[str, ...], automations: tuple[bool, ...]
) -> None:
    prefect.automations = automations
    run_hook(notify_on_failure, tags=tags)
    assert len(prefect.sent) == 1


def test_a_failure_is_rather_told_twice_than_never(
    prefect: FakePrefect, caplog: pytest.LogCaptureFixture
) -> None:
    prefect.lookup_error = httpx.ConnectError("no route, password=fake")
    run_hook(notify_on_failure, tags=("dlt",), deployed=True)
    assert len(prefect.sent) == 1
    assert "may be announced twice. ConnectError: no route" in caplog.text
    assert "fake" not in caplog.text


def test_a_deployment_without_a_known_name_is_told_by_its_id(prefect: FakePrefect) -> None:
    prefect.lookup_error = httpx.ConnectError("no route")
    run = run_hook(notify_on_failure, deployed=True)
    assert f"*Deployment*: {run.deployment_id}" in prefect.sent[0][2]


def test_a_completion_is_told_only_where_the_pipeline_asks_for_it(prefect: FakePrefect) -> None:
    run_hook(notify_on_completion, Completed())
    assert prefect.sent == []
    run_hook(notify_on_completion, Completed(), deployed=True)
    ((slug, subject, body),) = prefect.sent
    assert slug == "slack-webhook/info"
    assert subject == ":white_check_mark: Pipeline completed: orders"
    assert "*Error*" not in body


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ValueError("Unable to find block document"), "is missing; deploy the stack"),
        ({"tag": "dlt", "unknown": 1}, "does not fit this version of alerting"),
        ("no JSON", "does not fit this version of alerting"),
    ],
)
def test_without_the_stacks_settings_one_channel_hears_of_failures(
    prefect: FakePrefect, caplog: pytest.LogCaptureFixture, settings: object, problem: str
) -> None:
    prefect.settings = settings
    run_hook(notify_on_failure, tags=("dlt",))
    ((slug, _, body),) = prefect.sent
    assert slug == "slack-webhook/alerts"
    assert "*Error*: no rows" in body
    assert f"Block secret/data-alerts {problem}" in caplog.text


def test_the_link_is_never_none(prefect: FakePrefect) -> None:
    prefect.settings = ValueError("missing")
    run_hook(notify_on_failure)
    assert "None" not in prefect.sent[0][2]


def test_a_stack_with_a_prefix_is_found_by_it(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hooks.NAME_PREFIX_VARIABLE, "dev")
    prefect.settings = ValueError("missing")
    run_hook(notify_on_failure)
    assert prefect.asked_for == ["secret/dev-data-alerts"]
    assert prefect.sent[0][0] == "slack-webhook/dev-alerts"


def test_a_block_that_fails_does_not_keep_the_others_from_being_told(
    prefect: FakePrefect, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = ("slack-webhook/gone", "secret/wrong", "slack-webhook/alerts")
    settings = SETTINGS.model_copy(update={"failure_blocks": blocks})
    prefect.settings = settings.packed()
    prefect.broken_blocks = {"slack-webhook/gone": OSError(f"refused\n{WEBHOOK}")}
    run_hook(notify_on_failure)
    assert [slug for slug, _, _ in prefect.sent] == ["slack-webhook/alerts"]
    (record,) = caplog.records
    assert record.getMessage() == (
        "Not everybody was told how this run ended. "
        "slack-webhook/gone: OSError: refused https://hooks.slack.com/[redacted]; "
        "secret/wrong: is not a block that notifies"
    )


def test_a_stack_without_a_slack_channel_to_tell_is_named_as_the_reason(
    prefect: FakePrefect, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SETTINGS.model_copy(update={"failure_blocks": ()})
    prefect.settings = settings.packed()
    run_hook(notify_on_failure)
    assert "names no Slack channel" in caplog.text


@pytest.mark.parametrize(
    "hook", [notify_on_failure, always_notify_on_failure, notify_on_completion]
)
def test_a_hook_logs_its_own_failure_in_one_line_and_never_raises(
    prefect: FakePrefect,
    caplog: pytest.LogCaptureFixture,
    hook: Hook,
) -> None:
    prefect.settings = httpx.ConnectError("no route to\nhttps://u:fake@prefect.example.com")
    run_hook(hook)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        "Not everybody was told how this run ended. "
        "ConnectError: no route to https://[redacted]@prefect.example.com"
    )


def test_a_hook_gives_up_in_time(
    prefect: FakePrefect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "TOTAL_SECONDS", 0.1)
    prefect.delay = 60
    start = time.monotonic()
    run_hook(notify_on_failure)
    assert time.monotonic() - start < 5
    assert "Gave up after" in caplog.text


@pytest.mark.parametrize(
    "hook", [notify_on_failure, always_notify_on_failure, notify_on_completion]
)
def test_hooks_are_what_prefects_runner_takes_for_async_functions(
    hook: Hook,
) -> None:
    assert inspect.iscoroutinefunction(hook)
