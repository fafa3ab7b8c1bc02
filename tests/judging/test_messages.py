"""What the messages of native triggers say. Templates are rendered with undefined names as errors.

Prefect's own renderer, which lets undefined names pass, is in tests/contract.
"""

import re
import time

import pytest

from alerting.plan import AutomationRule
from tests.shared.example_stack import (
    examples,
    pipeline_rules_of,
    raw_settings,
    without_pagerduty,
)
from tests.shared.strict_rendering import (
    HOSTILE,
    RUN_ID,
    STRICT,
    Happened,
    Rendered,
    assert_complete,
    render,
    template,
)

pytestmark = pytest.mark.judging

ID = "00000000-0000-0000-0000-000000000000"


def slack_message(key: str, happened: Happened, **changes: object) -> Rendered:
    return render(pipeline_rules_of(**changes)[key].notifications[0], happened)


def messages_of(rule: AutomationRule, happened: Happened) -> dict[str, Rendered]:
    """What each channel is told by a rule."""
    return {each.channel: render(each, happened) for each in rule.notifications}


STACKS = examples()
HAPPENED = [
    Happened(),
    Happened(deployment="prod"),
    Happened(flow="load-clicks", deployment="prod"),
    Happened(flow="load-clicks", deployment="test"),
    Happened(flow="not listed"),
    Happened(flow="not listed", deployment="prod", error=None),
    Happened(error=""),
]


@pytest.mark.parametrize("key", list(STACKS[0]))
@pytest.mark.parametrize("happened", HAPPENED, ids=repr)
def test_every_message_is_whole_whatever_happened(key: str, happened: Happened) -> None:
    for rules in STACKS:
        for notification in rules[key].notifications if key in rules else ():
            message = render(notification, happened)
            assert message.fields["Owner"]
            assert message.fields["Look"]
            for text in message.texts:
                assert_complete(text)


@pytest.mark.parametrize("key", list(STACKS[0]))
@pytest.mark.parametrize("happened", HAPPENED, ids=repr)
def test_every_channel_is_told_the_same_whatever_form_it_takes(
    key: str, happened: Happened
) -> None:
    messages = messages_of(STACKS[0][key], happened)
    assert ("on-call" in messages) == (key != "lost")
    for message in messages.values():
        one = messages["on-call"]
        assert (message.sentence, message.fields) == (one.sentence, one.fields)
        assert re.sub("^:[a-z_]+: ", "", message.subject) == one.subject


def test_a_page_is_an_event_by_which_its_incident_is_known() -> None:
    messages = messages_of(pipeline_rules_of()["critical"], Happened(flow="orders"))
    assert messages["on-call"].document == {
        "event_action": "trigger",
        "dedup_key": "data-alerts/example/pipeline/orders",
        "client": "data-alerts",
        "payload": {
            "summary": "CRITICAL: orders failed 3 times",
            "source": "example",
            "severity": "critical",
            "component": "orders",
            "group": "example",
            "class": "critical",
            "custom_details": {
                "What": "orders failed 3 times within 24h. This is the latest failure.",
                "Flow": "orders",
                "Deployment": "none, an ad hoc run",
                "Run": f"brave-otter ({RUN_ID})",
                "State": "TimedOut at 2026-03-01 06:30:05 UTC",
                "Error": "the warehouse is asleep",
                "Owner": "shop",
                "Runbook": "https://wiki.example.com/orders",
                "Look": f"https://prefect.example.com/runs/flow-run/{RUN_ID}",
            },
        },
        "links": [
            {"href": f"https://prefect.example.com/runs/flow-run/{RUN_ID}", "text": "Look"},
        ],
    }


def incidents(happened: Happened, **changes: object) -> dict[str, tuple[str, str, str]]:
    """The state, key and component of what each rule tells PagerDuty."""
    documents = {
        key: render(each, happened).document
        for key, rule in pipeline_rules_of(**changes).items()
        for each in rule.notifications
        if each.channel == "on-call"
    }
    return {
        key: (event["event_action"], event["dedup_key"], event["payload"]["component"])
        for key, event in documents.items()
    }


@pytest.mark.parametrize(
    ("happened", "pipeline"),
    [
        (Happened(), "orders"),
        (Happened(deployment="any"), "orders"),
        (Happened(flow="load-clicks", deployment="prod"), "load-clicks/prod"),
        (Happened(flow="load-clicks", deployment="test"), "load-clicks"),
        (Happened(flow="not listed", deployment="prod"), "not listed"),
    ],
    ids=repr,
)
def test_what_opens_an_incident_and_what_closes_it_name_the_same_key(
    happened: Happened, pipeline: str
) -> None:
    of_pipeline = (f"data-alerts/example/pipeline/{pipeline}", pipeline)
    of_pool = ("data-alerts/example/work-pool/default-pool", "default-pool")
    assert incidents(happened) == {
        "recovery": ("resolve", *of_pipeline),
        "critical-3d": ("trigger", *of_pipeline),
        "critical": ("trigger", *of_pipeline),
        "escalation-15m": ("trigger", *of_pipeline),
        "escalation-1h": ("trigger", *of_pipeline),
        "p1-all-down": ("trigger", "data-alerts/example/all-down", "all-down"),
        "p1-work-pool": ("trigger", *of_pool),
        "work-pool-ready": ("resolve", *of_pool),
    }


def test_stacks_that_share_a_pagerduty_service_share_no_incident() -> None:
    one, other = incidents(Happened()), incidents(Happened(), namePrefix="team")
    assert {key for _, key, _ in other.values()} & {key for _, key, _ in one.values()} == set()
    assert other["critical"][1] == "data-alerts/team.example/pipeline/orders"


def test_an_incident_is_as_grave_as_its_tier() -> None:
    severities = {
        key: messages_of(rule, Happened())["on-call"].document["payload"]["severity"]
        for key, rule in STACKS[0].items()
        if "on-call" in messages_of(rule, Happened())
    }
    assert severities == {
        "warning": "warning",
        "late": "warning",
        "critical-3d": "critical",
        "critical": "critical",
        "escalation-15m": "critical",
        "escalation-1h": "critical",
        "p1-all-down": "critical",
        "p1-work-pool": "critical",
        "recovery": "info",
        "work-pool-ready": "info",
    }


def test_a_rich_message_has_its_error_in_a_block_of_its_own_and_a_button_for_its_link() -> None:
    message = messages_of(STACKS[0]["warning"], Happened())["rich"]
    look = f"https://prefect.example.com/runs/flow-run/{RUN_ID}"
    lines = {
        "Flow": "orders",
        "Deployment": "none, an ad hoc run",
        "Run": f"brave-otter ({RUN_ID})",
        "State": "TimedOut at 2026-03-01 06:30:05 UTC",
        "Owner": "shop",
        "Runbook": "https://wiki.example.com/orders",
    }
    subject = ":x: Pipeline failed: orders"
    assert message.document == {
        "text": subject,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": subject}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "orders failed."}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "```the warehouse is asleep```"},
            },
            {
                "type": "section",
                "fields": [
                    {"type": "mrkdwn", "text": f"*{label}*\n{text}"}
                    for label, text in lines.items()
                ],
            },
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Look"},
                        "url": look,
                    }
                ],
            },
        ],
    }


def test_a_failure_says_what_when_where_and_how_to_start() -> None:
    message = slack_message("warning", Happened())
    assert message.subject == ":x: Pipeline failed: orders"
    assert message.body == (
        "orders failed.\n"
        "*Flow*: orders\n"
        "*Deployment*: none, an ad hoc run\n"
        f"*Run*: brave-otter ({RUN_ID})\n"
        "*State*: TimedOut at 2026-03-01 06:30:05 UTC\n"
        "*Error*: the warehouse is asleep\n"
        "*Owner*: shop\n"
        "*Runbook*: https://wiki.example.com/orders\n"
        f"*Look*: https://prefect.example.com/runs/flow-run/{RUN_ID}"
    )


def test_each_tier_says_what_it_is_about() -> None:
    rules = pipeline_rules_of()
    said = {
        key: render(rule.notifications[-1], Happened())
        for key, rule in rules.items()
        if rule.notifications
    }
    assert {key: message.subject for key, message in said.items()} == {
        "warning": ":x: Pipeline failed: orders",
        "recovery": "Recovered: orders",
        "late": ":hourglass: Late to start: orders",
        "critical-3d": "CRITICAL: orders failed 3 times",
        "critical": "CRITICAL: orders failed 3 times",
        "escalation-15m": "ESCALATION to on-call engineer: orders has not recovered in 15m",
        "escalation-1h": "ESCALATION to manager: orders has not recovered in 1h",
        "p1-all-down": "P1: all 2 pipelines are down",
        "p1-work-pool": "P1: work pool default-pool is not ready",
        "work-pool-ready": "Ready again: work pool default-pool",
    }
    assert "lost" in rules
    first_lines = {key: message.sentence for key, message in said.items()}
    assert first_lines["critical-3d"].startswith("orders failed 3 times within 3d.")
    assert first_lines["late"].startswith("orders should have started at 2026-03-01 06:00:00 UTC ")
    assert first_lines["p1-all-down"].startswith("Every listed pipeline failed: clicks, orders.")
    assert first_lines["escalation-1h"] == "orders failed 1h ago and has not succeeded since."


def test_good_news_and_late_starts_show_no_error() -> None:
    for key in ("recovery", "late"):
        assert "Error" not in slack_message(key, Happened()).fields


def test_an_error_that_is_missing_is_said_to_be() -> None:
    assert slack_message("warning", Happened(error=None)).fields["Error"] == "none given"
    assert slack_message("warning", Happened(error="")).fields["Error"] == "none given"


@pytest.mark.parametrize("error", ["x" * 100_000, "long " * 20_000, "\u4e2d" * 50_000])
def test_a_long_error_is_cut_and_nothing_after_it_is(error: str) -> None:
    message = slack_message("warning", Happened(error=error))
    assert 300 < len(message.fields["Error"]) <= 405
    assert message.fields["Error"].endswith("...")
    assert message.fields["Owner"] == "shop"


def test_an_error_that_looks_like_a_template_is_not_rendered() -> None:
    message = slack_message("warning", Happened(error="{{ 7 * 7 }} {% raw %}"))
    assert message.fields["Error"] == "{{ 7 * 7 }} {% raw %}"


@pytest.mark.parametrize(
    ("happened", "owner", "runbook"),
    [
        (Happened(flow="orders"), "shop", "https://wiki.example.com/orders"),
        (Happened(flow="orders", deployment="x"), "shop", "https://wiki.example.com/orders"),
        (Happened(flow="load", deployment="prod"), "web", "none yet"),
        (Happened(flow="carts"), "shop", "https://wiki.example.com/carts"),
        (Happened(flow="a"), "shop", "https://wiki.example.com/a"),
        (Happened(flow="load", deployment="test"), "testers", "none yet"),
        (Happened(flow="load", deployment="other"), "data-platform", "none yet"),
        (Happened(flow="load"), "data-platform", "none yet"),
        (Happened(flow="both", deployment="prod"), "night", "none yet"),
        (Happened(flow="both", deployment="other"), "day", "none yet"),
        (Happened(flow="both"), "day", "none yet"),
        (Happened(flow="order"), "data-platform", "none yet"),
        (Happened(flow="orders2"), "data-platform", "none yet"),
        (Happened(flow=""), "data-platform", "none yet"),
        (Happened(flow="shop"), "data-platform", "none yet"),
        (Happened(flow="orders", deployment="shop"), "shop", "https://wiki.example.com/orders"),
        (Happened(flow="orders\t\tevil\thttps://x"), "data-platform", "none yet"),
    ],
    ids=repr,
)
def test_the_owner_is_the_one_of_flow_and_deployment_else_of_the_flow(
    happened: Happened, owner: str, runbook: str
) -> None:
    pipelines = {
        "orders": raw_settings()["pipelines"]["orders"],
        "load-prod": {"owner": "web", "flow": "load", "deployment": "prod"},
        "load-test": {"owner": "testers", "flow": "load", "deployment": "test"},
        "both": {"owner": "day"},
        "carts": {"owner": "shop", "runbook": "https://wiki.example.com/carts"},
        "a": {"owner": "shop", "runbook": "https://wiki.example.com/a"},
        "both-prod": {"owner": "night", "flow": "both", "deployment": "prod"},
    }
    message = slack_message("warning", happened, pipelines=pipelines)
    assert (message.fields["Owner"], message.fields["Runbook"]) == (owner, runbook)


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_and_things_are_called_is_said_as_it_is(text: str) -> None:
    flow = text.translate(str.maketrans("", "", "/%&<>"))  # names as Prefect allows them
    changes = {
        "pipelines": {
            flow: {"owner": text, "deployment": flow, "escalate": True},
            "b": {"owner": "b"},
        },
        "defaultOwner": text,
        "escalation": [{"after": "15m", "to": text, "notify": ["on-call"]}],
        "channels": without_pagerduty(),
    }
    happened = Happened(flow=flow, deployment=flow, error=text)
    warning = slack_message("warning", happened, **changes)
    assert warning.subject == f":x: Pipeline failed: {flow}"
    # What would be a mention is none, and reads the same.
    error = text.replace("<", "\u2039").replace(">", "\u203a")
    for said in (f"*Owner*: {text}", f"*Deployment*: {flow}", f"*Error*: {error}"):
        assert said in warning.body.split("\n")
    step = slack_message("escalation-15m-deployments", happened, **changes)
    assert step.subject.startswith(f":mega: ESCALATION to {text}: {flow} has not")
    assert f"*Would page*: {text} (PagerDuty channel on-call is not set up)" in step.body
    outage = slack_message("p1-all-down", happened, **changes)
    assert f"{flow}" in outage.body.split("\n")[0]
    stranger = slack_message("warning", Happened(flow=f"other {text}"), **changes)
    assert f"*Owner*: {text}" in stranger.body
    pool = slack_message("p1-work-pool", Happened(work_pool=text), **changes)
    assert text in pool.subject
    assert f"*Owner*: {text}" in pool.body


@pytest.mark.parametrize("text", [*HOSTILE, "{{{{routing_key}}}}", "```", "x' \"\r\n\x00"])
def test_whatever_an_error_says_json_stays_whole_and_draws_out_no_secret(text: str) -> None:
    error = text.replace("<", "\u2039").replace(">", "\u203a")
    messages = messages_of(STACKS[0]["warning"], Happened(error=text))
    for channel in ("rich", "on-call", "hook"):
        shown = error.replace("`", "'") if channel == "rich" else error
        assert messages[channel].fields["Error"] == shown
        # The block that sends it would put a secret there.
        assert "{{" not in messages[channel].body
    assert messages["mail"].fields["Error"] == error.replace("`", "'")
    assert "<!channel>" not in messages["alerts"].body


@pytest.mark.parametrize(
    ("prefect", "link"),
    [
        ({"endpoint": "http://127.0.0.1:4200/api"}, "http://127.0.0.1:4200"),
        (
            {
                "endpoint": f"https://api.prefect.cloud/api/accounts/{ID}/workspaces/{ID}",
                "apiKey": {"from": "env"},
            },
            f"https://app.prefect.cloud/account/{ID}/workspace/{ID}",
        ),
        (
            {"endpoint": "https://x.example.com/api", "uiUrl": "https://x.example.com/{{ui}}"},
            "https://x.example.com/{{ui}}",
        ),
    ],
    ids=["self-hosted", "Cloud", "its own"],
)
def test_a_link_leads_to_the_run_without_the_server_knowing_its_address(
    prefect: object, link: str
) -> None:
    for key, rule in pipeline_rules_of(prefect=prefect).items():
        for notification in rule.notifications:
            look = render(notification, Happened(work_pool="pool & co")).fields["Look"]
            if key in ("p1-work-pool", "work-pool-ready"):
                assert look == f"{link}/work-pools/work-pool/pool%20%26%20co"
            else:
                assert look == f"{link}/runs/flow-run/{RUN_ID}"


def test_an_outage_names_ten_pipelines_and_counts_the_rest() -> None:
    pipelines = {f"p{number:02}": {"owner": "web"} for number in range(12)}
    message = slack_message("p1-all-down", Happened(), pipelines=pipelines)
    assert (
        "failed: p00, p01, p02, p03, p04, p05, p06, p07, p08, p09 and 2 more. " in message.sentence
    )
    assert message.subject == "P1: all 12 pipelines are down"


def test_an_outage_of_those_that_run_most_often_does_not_claim_to_be_one_of_all() -> None:
    pipelines = {f"p{number:03}": {"owner": "web", "every": "1h"} for number in range(101)}
    message = slack_message("p1-all-down", Happened(), pipelines=pipelines)
    assert message.subject == "P1: the 100 most frequent of 101 pipelines are down"
    assert message.sentence.startswith(
        "Each of the 100 most frequent of 101 pipelines failed: p000, "
    )


def test_of_a_thousand_pipelines_the_right_owner_is_found_at_once() -> None:
    pipelines = {
        f"load-{number}": {
            "owner": f"team {number}",
            "runbook": f"https://wiki.example.com/{number}",
            **({"deployment": "prod"} if number % 2 else {}),
        }
        for number in range(1_000)
    }
    body = pipeline_rules_of(pipelines=pipelines)["warning"].notifications[0].body
    for number in range(0, 1_000, 37):
        for deployment in ("prod", None):
            context = Happened(flow=f"load-{number}", deployment=deployment).context()
            listed = deployment == "prod" or number % 2 == 0
            owner = f"team {number}" if listed else "data-platform"
            assert f"*Owner*: {owner}\n" in template(body).render(context)
    start = time.process_time()
    STRICT.from_string(body).render(Happened(flow="load-998").context())
    assert time.process_time() - start < 0.25, "seconds of work for one message"
