"""Messages of native triggers as Prefect renders them: its own action, templates and events."""

import pytest
from prefect.server.schemas.states import State

from alerting.plan import AutomationRule
from alerting.plan.forms import Form
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
from tests.shared.example_stack import examples, pipeline_rules_of, raw_settings
from tests.shared.strict_rendering import Rendered

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
STACKS = examples()
OF_POOLS = ("p1-work-pool", "work-pool-ready")
STATES = {"recovery": COMPLETED, "late": LATE, "critical": CRASHED, "escalation-15m": TIMED_OUT}


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    be_strict(monkeypatch)


def happened_for(
    rule: AutomationRule, flow: str = "orders", deployment: str | None = None
) -> Run | Pool:
    if rule.key in OF_POOLS:
        return Pool()
    return Run(flow, deployment, STATES.get(rule.key, FAILED))


def messages(
    rule: AutomationRule, happened: Run | Pool, *, gone: str | None = None
) -> list[Rendered]:
    """What each channel is told; `gone` was deleted since the event."""
    objects = happened.objects()
    event = happened.event(objects)
    if gone:
        del objects[gone]
    return rendered(rule, event, objects)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("key", list(STACKS[0]))
@pytest.mark.parametrize("deployment", [None, "prod"])
@pytest.mark.parametrize("flow", ["orders", "load-clicks", "not listed"])
def test_every_message_is_whole(key: str, flow: str, deployment: str | None) -> None:
    for rules in STACKS:
        if rule := rules.get(key):
            told = messages(rule, happened_for(rule, flow, deployment))
            assert len(told) == len(rule.notifications)
            for message in told:
                assert (message.sentence, message.fields) == (told[0].sentence, told[0].fields)
                assert message.fields["Look"].startswith("https://prefect.example.com/")
                for text in message.texts:
                    assert text
                    assert "None" not in text
                    assert "{" not in text
                    assert not any(line.endswith((": ", ":")) for line in text.splitlines())


@pytest.mark.usefixtures("strict")
def test_a_failure_reads_as_it_was_written() -> None:
    run = Run("load-clicks", "prod", TIMED_OUT)
    [message] = messages(pipeline_rules_of()["warning"], run)
    assert message.subject == ":x: Pipeline failed: load-clicks"
    assert message.body == (
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
    [message] = messages(pipeline_rules_of()["late"], Run(state=LATE))
    assert message.sentence.startswith(
        "orders should have started at 2026-03-01 06:00:00 UTC and has not. "
    )
    assert message.fields["State"] == "Late at 2026-03-01 06:30:05 UTC"


@pytest.mark.usefixtures("strict")
def test_a_work_pool_is_named_with_a_link_to_it() -> None:
    opened, closed = (
        messages(pipeline_rules_of()[key], Pool("gpu 'pool'"))[0].document for key in OF_POOLS
    )
    look = "https://prefect.example.com/work-pools/work-pool/gpu%20%27pool%27"
    assert opened["payload"]["summary"] == "P1: work pool gpu 'pool' is not ready"
    assert opened["links"] == [{"href": look, "text": "Look"}]
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    key = "data-alerts/example/work-pool/gpu 'pool'"
    assert opened["dedup_key"] == closed["dedup_key"] == key


@pytest.mark.parametrize("gone", ["flow_run", "flow", "deployment"])
@pytest.mark.parametrize("key", [key for key in STACKS[0] if key not in OF_POOLS])
def test_a_message_goes_out_even_when_what_it_is_about_was_deleted_since(
    key: str, gone: str
) -> None:
    rule = STACKS[0][key]
    run = happened_for(rule, "load-clicks", "prod")
    for message in messages(rule, run, gone=gone):
        assert message.fields["State"].endswith("2026-03-01 06:30:05 UTC")
        assert "Owner" in message.fields
        assert not [text for text in message.texts if "None" in text]


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
        for message in messages(rule, happened_for(rule, flow, flow)):
            assert message.fields["Owner"] == text
            if key.startswith("escalation"):
                assert f"ESCALATION to {text}: {flow} has not" in message.subject
                assert message.fields["Would page"].startswith(f"{text} (")
            if key == "p1-all-down":
                assert flow in message.sentence


@pytest.mark.usefixtures("strict")
def test_an_error_is_said_as_it_is_and_cut_where_it_is_long() -> None:
    for error in ("{{ 7 * 7 }} {% raw %}", "<b>&amp;</b>", 'a "\\" b', "{{{{key}}}}", "<!channel>"):
        # What would be a mention, or a tag, is none and reads the same.
        shown = error.replace("<", "\u2039").replace(">", "\u203a")
        for message in messages(STACKS[0]["warning"], Run(state=failed_with(error))):
            assert message.fields["Error"] == shown
            # The block that sends JSON would put its own secret there.
            assert "{{" not in message.body or message.form in (Form.SLACK, Form.HTML)
    for message in messages(STACKS[0]["warning"], Run(state=failed_with("word " * 50_000))):
        assert len(message.fields["Error"]) <= 405
        assert message.fields["Error"].endswith("word...")
        assert message.fields["Owner"] == "shop"


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
        [message] = messages(rule, Run(f"load-{number}"))
        assert message.fields["Owner"] == f"team {number}"
        assert message.fields["Runbook"] == f"https://wiki.example.com/{number}"
