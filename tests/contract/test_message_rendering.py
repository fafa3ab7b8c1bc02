"""Messages of native triggers as Prefect renders them: its own action, templates and events."""

import pytest
from prefect.server.schemas.states import State

from alerting.plan import AutomationRule
from tests.contract.prefect_events import (
    COMPLETED,
    CRASHED,
    FAILED,
    LATE,
    TIMED_OUT,
    Pool,
    Run,
)
from tests.contract.prefect_rendering import be_strict, rendered
from tests.unit.example_stack import pipeline_rules_of, raw_settings

pytestmark = pytest.mark.contract

LINK = "https://prefect.example.com/runs/flow-run"
HOSTILE = [
    'it\'s "quoted" \\n',
    "{% raw %}{{ 7 * 7 }}{% endraw %}",
    "{% endraw %}{{ flow_run.id }}",
    "{# gone #} -%} {%- set owner = 'x' -%}",
    "100% of ]b[c",
    "\U0001f9a0 naïve \U0001f469\u200d\U0001f4bb",
]
STATES = {"recovery": COMPLETED, "late": LATE, "critical": CRASHED, "escalation-15m": TIMED_OUT}


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    be_strict(monkeypatch)


def happened_for(
    rule: AutomationRule, flow: str = "orders", deployment: str | None = None
) -> Run | Pool:
    if rule.key == "p1-work-pool":
        return Pool()
    return Run(flow, deployment, STATES.get(rule.key, FAILED))


def messages(
    rule: AutomationRule, happened: Run | Pool, *, gone: str | None = None
) -> list[tuple[str, str]]:
    """Subject and body for each channel; `gone` was deleted since the event."""
    objects = happened.objects()
    event = happened.event(objects)
    if gone:
        del objects[gone]
    return rendered(rule, event, objects)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("key", list(pipeline_rules_of()))
@pytest.mark.parametrize("deployment", [None, "prod"])
@pytest.mark.parametrize("flow", ["orders", "load-clicks", "not listed"])
def test_every_message_is_whole(key: str, flow: str, deployment: str | None) -> None:
    channels = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    for rule in (pipeline_rules_of()[key], pipeline_rules_of(channels=channels)[key]):
        for subject, body in messages(rule, happened_for(rule, flow, deployment)):
            for text in (subject, body):
                assert "None" not in text
                assert "{" not in text
                assert not any(line.endswith((": ", ":")) for line in text.splitlines())


@pytest.mark.usefixtures("strict")
def test_a_failure_reads_as_it_was_written() -> None:
    run = Run("load-clicks", "prod", TIMED_OUT)
    ((subject, body),) = messages(pipeline_rules_of()["warning"], run)
    assert subject == ":x: Pipeline failed: load-clicks"
    assert body == (
        "load-clicks failed.\n"
        "*Flow*: load-clicks\n"
        "*Deployment*: prod\n"
        f"*Run*: brave-otter ({run.id})\n"
        "*State*: TimedOut at 2026-03-01 06:30:05 UTC\n"
        "*Error*: took longer than 5 s\n"
        "*Owner*: web\n"
        "*Runbook*: none yet\n"
        f"*Look*: {LINK}/{run.id}"
    )


@pytest.mark.usefixtures("strict")
def test_a_late_start_says_when_it_was_due() -> None:
    ((_, body),) = messages(pipeline_rules_of()["late"], Run(state=LATE))
    assert body.startswith("orders should have started at 2026-03-01 06:00:00 UTC and has not. ")
    assert "*State*: Late at 2026-03-01 06:30:05 UTC" in body


@pytest.mark.usefixtures("strict")
def test_a_work_pool_is_named_with_a_link_to_it() -> None:
    ((subject, body),) = messages(pipeline_rules_of()["p1-work-pool"], Pool("gpu pool"))
    assert subject == "P1: work pool gpu pool is not ready"
    assert body.endswith("https://prefect.example.com/work-pools/work-pool/gpu%20pool")


@pytest.mark.parametrize("gone", ["flow_run", "flow", "deployment"])
@pytest.mark.parametrize("key", [key for key in pipeline_rules_of() if key != "p1-work-pool"])
def test_a_message_goes_out_even_when_what_it_is_about_was_deleted_since(
    key: str, gone: str
) -> None:
    rule = pipeline_rules_of()[key]
    run = happened_for(rule, "load-clicks", "prod")
    for _, body in messages(rule, run, gone=gone):
        assert "2026-03-01 06:30:05 UTC" in body
        assert "Owner" in body
        assert "None" not in body


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_and_things_are_called_is_said_as_it_is(text: str) -> None:
    flow = text.translate(str.maketrans("", "", "/%&<>"))  # names as Prefect allows them
    channels = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    rules = pipeline_rules_of(
        pipelines={
            flow: {"owner": text, "deployment": flow, "escalate": True, "every": "24h"},
            "b": {"owner": "b"},
        },
        defaultOwner=text,
        escalation=[{"after": "15m", "to": text, "notify": ["on-call"]}],
        channels=channels,
    )
    for key, rule in rules.items():
        for subject, body in messages(rule, happened_for(rule, flow, flow)):
            assert f"*Owner*: {text}" in body.split("\n")
            if key.startswith("escalation"):
                assert f"ESCALATION to {text}: {flow} has not" in subject
                assert f"*Would page*: {text} (" in body
            if key == "p1-all-down":
                assert flow in body.split("\n")[0]


@pytest.mark.usefixtures("strict")
def test_an_error_is_said_as_it_is_and_cut_where_it_is_long() -> None:
    rule = pipeline_rules_of()["warning"]
    for error in ("{{ 7 * 7 }} {% raw %}", "<b>&amp;</b>"):
        ((_, body),) = messages(rule, Run(state=failed_with(error)))
        assert f"*Error*: {error}\n" in body
    ((_, body),) = messages(rule, Run(state=failed_with("word " * 50_000)))
    assert len(body) < 1_000
    assert "word...\n*Owner*: shop" in body


def failed_with(message: str) -> State:
    return FAILED.model_copy(update={"message": message})


@pytest.mark.usefixtures("strict")
def test_of_a_thousand_pipelines_the_right_owner_is_told() -> None:
    pipelines = {
        f"load-{number}": {
            "owner": f"team {number}",
            "runbook": f"https://wiki.example.com/{number}",
        }
        for number in range(1_000)
    }
    rule = pipeline_rules_of(pipelines=pipelines)["warning"]
    for number in (0, 1, 10, 99, 100, 999):
        ((_, body),) = messages(rule, Run(f"load-{number}"))
        assert f"*Owner*: team {number}\n*Runbook*: https://wiki.example.com/{number}\n" in body
