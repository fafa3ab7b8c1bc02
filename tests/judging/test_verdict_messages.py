"""What is said of the sentinel's verdicts, in every form, and that automations bring it as it is.

Templates are rendered with undefined names as errors.
"""

import json
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

import pytest

from alerting.plan import AutomationRule, EventTrigger
from alerting.plan.forms import Form
from alerting.plan.message import Message
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event, announcement
from alerting.sentinel.grouping import GROUPED
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.verdicts import Verdict
from tests.shared.every_verdict import HISTORY, NOW, every_verdict
from tests.shared.example_stack import every_kind, published_of, raw_settings, rules_of
from tests.shared.histories import end, runs
from tests.shared.strict_rendering import HOSTILE, Announced, Rendered, assert_complete, render

pytestmark = pytest.mark.judging

RUN_ID = HISTORY[0].run_id
LOOK = f"https://prefect.example.com/runs/flow-run/{RUN_ID}"


def without_pagerduty() -> dict[str, object]:
    channels: dict[str, dict[str, str]] = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    return {"channels": channels}


def acts_on(rule: AutomationRule, event: Event) -> bool:
    """Whether an automation that is not standing by tells of an announcement."""
    trigger = rule.trigger
    if rule.standby or not isinstance(trigger, EventTrigger):
        return False
    labels = event["resource"]
    wanted = {k: (v,) if isinstance(v, str) else v for k, v in trigger.match.items()}
    return event["event"] in trigger.expect and all(
        any(fnmatchcase(labels.get(label, ""), each) for each in values)
        for label, values in wanted.items()
    )


@cache
def built(changes: str) -> tuple[PublishedSettings, dict[str, AutomationRule]]:
    """What the example with these changes, in JSON, publishes, and its rules."""
    return published_of(**json.loads(changes)), rules_of(**json.loads(changes))


def sent(
    verdicts: Iterable[Verdict], /, **changes: object
) -> list[tuple[AutomationRule, str, Rendered]]:
    """Every message about verdicts, with the rule that sends it and the channel, in order."""
    settings, rules = built(json.dumps(changes))
    return [
        (rule, notification.channel, render(notification, Announced(event)))
        for event in (announcement(verdict, settings, NOW) for verdict in verdicts)
        for rule in rules.values()
        if acts_on(rule, event)
        for notification in rule.notifications
    ]


def said(
    history: Iterable[Ended] = HISTORY, /, **changes: object
) -> list[tuple[AutomationRule, str, Rendered]]:
    settings, _ = built(json.dumps(changes))
    return sent(judge(history, settings, NOW), **changes)


def first(key: str, history: Iterable[Ended] = HISTORY, /, **changes: object) -> Rendered:
    """The first message of a rule about a history."""
    return next(message for rule, _, message in said(history, **changes) if rule.key == key)


def in_form(message: Message, form: Form) -> Rendered:
    return Rendered(*message.text(form), form)


SETTINGS = published_of(**every_kind())
ALL = list(every_verdict(SETTINGS))


def named(verdict: Verdict) -> str:
    return f"{verdict.kind}{' list' if verdict.members else ''} {verdict.id}"


def test_every_kind_is_looked_at_alone_and_those_that_come_in_lists_in_lists_too() -> None:
    assert {verdict.kind for verdict in ALL if not verdict.members} == set(VerdictKind)
    lists = {verdict.kind for verdict in ALL if verdict.members}
    assert lists == {*GROUPED, VerdictKind.RESOLVED}


@pytest.mark.parametrize(
    "changes", [every_kind(), without_pagerduty(), {}], ids=["all", "Slack alone", "example"]
)
@pytest.mark.parametrize("form", Form)
def test_every_message_is_whole_in_every_form(form: Form, changes: dict[str, object]) -> None:
    settings = published_of(**changes)
    for verdict in every_verdict(settings):
        message = in_form(message_of(verdict, settings), form)
        assert message.fields["Look"].startswith("https://prefect.example.com/runs"), verdict
        for text in message.texts:
            assert_complete(text)


@pytest.mark.parametrize("verdict", ALL, ids=named)
def test_every_form_says_the_same(verdict: Verdict) -> None:
    message = message_of(verdict, SETTINGS)
    for form in Form:
        written = in_form(message, form)
        fields = dict(message.fields)
        if form in (Form.SLACK, Form.PLAIN):
            # Prefect's blocks send it as markup.
            fields = {label: _harmless(text) for label, text in fields.items()}
        assert (written.sentence, written.fields) == (message.sentence, fields), form
        assert re.sub("^:[a-z_]+: ", "", written.subject) == message.subject


@pytest.mark.parametrize("verdict", ALL, ids=named)
def test_an_automation_brings_what_the_sentinel_says_as_it_is(verdict: Verdict) -> None:
    message = message_of(verdict, SETTINGS)
    forms = {"alerts": Form.SLACK, "teams": Form.PLAIN, "bell": Form.PLAIN, "rich": Form.RICH}
    forms |= {"on-call": Form.INCIDENT, "mail": Form.HTML, "hook": Form.JSON}
    brought = sent([verdict], **every_kind())
    assert len({rule.key for rule, _, _ in brought}) == 1
    for _, channel, rendered in brought:
        assert (rendered.subject, rendered.body) == message.text(forms[channel])


def test_a_failure_says_what_when_where_and_how_to_start() -> None:
    message = first("warning")
    assert message.subject == ":x: Pipeline failed: orders"
    assert message.body == (
        "orders failed.\n"
        "*Flow*: orders\n"
        "*Deployment*: none, an ad hoc run\n"
        f"*Run*: brave-otter ({RUN_ID})\n"
        "*State*: Failed at 2026-03-01 06:00:00 UTC\n"
        "*Error*: the warehouse is asleep\n"
        "*Owner*: shop\n"
        "*Runbook*: https://wiki.example.com/orders\n"
        f"*Look*: {LOOK}"
    )


def test_a_page_has_its_key_severity_component_details_and_links() -> None:
    verdict = next(each for each in ALL if each.kind is VerdictKind.STREAK)
    latest = HISTORY[2]
    look = f"https://prefect.example.com/runs/flow-run/{latest.run_id}"
    runbook = "https://wiki.example.com/orders"
    subject = "CRITICAL: orders failed 3 times in a row"
    since = "since 2026-03-01 06:00:00 UTC"
    message = in_form(message_of(verdict, published_of()), Form.INCIDENT)
    assert message.subject == subject
    assert message.document == {
        "event_action": "trigger",
        "dedup_key": "data-alerts/example/pipeline/orders",
        "client": "data-alerts",
        "payload": {
            "summary": subject,
            "source": "example",
            "severity": "critical",
            "component": "orders",
            "group": "example",
            "class": "critical",
            "custom_details": {
                "What": f"orders failed 3 times in a row, {since}. This is the latest failure.",
                "Flow": "orders",
                "Deployment": "none, an ad hoc run",
                "Run": f"brave-otter ({latest.run_id})",
                "State": "Crashed at 2026-03-01 06:20:00 UTC",
                "Error": "the warehouse is asleep",
                "First failure": "2026-03-01 06:00:00 UTC",
                "Failures": "3",
                "Owner": "shop",
                "Runbook": runbook,
                "Look": look,
            },
        },
        "links": [{"href": runbook, "text": "Runbook"}, {"href": look, "text": "Look"}],
    }


def test_a_rich_message_has_its_links_as_buttons_and_its_error_apart() -> None:
    message = in_form(message_of(ALL[0], published_of()), Form.RICH)
    subject = ":x: Pipeline failed: orders"
    lines = {
        "Flow": "orders",
        "Deployment": "none, an ad hoc run",
        "Run": f"brave-otter ({RUN_ID})",
        "State": "Failed at 2026-03-01 06:00:00 UTC",
        "Owner": "shop",
    }
    links = {"Runbook": "https://wiki.example.com/orders", "Look": LOOK}

    def markdown(text: str) -> dict[str, str]:
        return {"type": "mrkdwn", "text": text}

    def plain(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    assert message.document == {
        "text": subject,
        "blocks": [
            {"type": "header", "text": plain(subject)},
            {"type": "section", "text": markdown("orders failed.")},
            {"type": "section", "text": markdown("```the warehouse is asleep```")},
            {
                "type": "section",
                "fields": [markdown(f"*{label}*\n{text}") for label, text in lines.items()],
            },
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "text": plain(label), "url": url}
                    for label, url in links.items()
                ],
            },
        ],
    }


def test_mail_and_other_services_read_the_same() -> None:
    message = message_of(ALL[0], published_of())
    assert message.text(Form.HTML) == (
        "Pipeline failed: orders",
        (
            "orders failed.<br>\n"
            "<b>Flow</b>: orders<br>\n"
            "<b>Deployment</b>: none, an ad hoc run<br>\n"
            f"<b>Run</b>: brave-otter ({RUN_ID})<br>\n"
            "<b>State</b>: Failed at 2026-03-01 06:00:00 UTC<br>\n"
            "<b>Error</b>: the warehouse is asleep<br>\n"
            "<b>Owner</b>: shop<br>\n"
            "<b>Runbook</b>: https://wiki.example.com/orders<br>\n"
            f"<b>Look</b>: {LOOK}"
        ),
    )
    document = in_form(message, Form.JSON).document
    assert document.pop("fields") == dict(message.fields)
    assert document == {
        "tier": "warning",
        "subject": "Pipeline failed: orders",
        "text": "orders failed.",
        "key": "data-alerts/example/pipeline/orders",
        "component": "orders",
        "stack": "example",
        "state": "open",
    }


def test_each_kind_opens_or_closes_the_incident_that_it_is_about() -> None:
    incidents: dict[str, set[tuple[str, str, str]]] = {}
    for verdict in ALL:
        if verdict.ended.flow in ("orders", "") or verdict.pipelines:
            event = in_form(message_of(verdict, SETTINGS), Form.INCIDENT).document
            name = f"{verdict.kind}{' list' if verdict.members else ''}"
            key = event["dedup_key"].replace(str(verdict.id), "<its id>")
            found = (event["event_action"], key, event["payload"]["severity"])
            incidents.setdefault(name, set()).add(found)
    orders, all_down = "data-alerts/example/pipeline/orders", "data-alerts/example/all-down"
    summary, storm = "data-alerts/example/summary/<its id>", "data-alerts/example/storm"
    alone = {
        "failure": {("trigger", orders, "warning")},
        "streak": {("trigger", orders, "critical")},
        "escalation": {("trigger", orders, "critical")},
        "stale": {("trigger", orders, "error")},
        "anomaly": {("trigger", orders, "error")},
        "late": {("trigger", orders, "warning")},
        "stuck": {("trigger", orders, "warning")},
        "all-down": {("trigger", all_down, "critical")},
        "not-all-down": {("resolve", all_down, "info")},
        "recovery": {("resolve", orders, "info")},
        "resolved": {("resolve", orders, "info")},
        "fresh": {("resolve", orders, "info")},
        "success": {("resolve", orders, "info")},
        "silence-over": {("trigger", summary, "info")},
        "summary": {("trigger", summary, "info")},
    }
    lists = {name: found for name, found in incidents.items() if name.endswith(" list")}
    assert {name: found for name, found in incidents.items() if name not in lists} == alone
    assert {key for found in lists.values() for _, key, _ in found} == {storm}
    assert incidents["resolved list"] == {("resolve", storm, "info")}
    assert incidents["streak list"] == {("trigger", storm, "critical")}


def test_each_tier_says_what_it_is_about() -> None:
    subjects = {f"{v.kind}{' list' if v.members else ''}": v for v in reversed(ALL)}
    messages = {name: message_of(verdict, SETTINGS) for name, verdict in subjects.items()}
    assert {name: message.slack()[0] for name, message in messages.items()} == {
        "failure": ":x: Pipeline failed: orders",
        "streak": ":rotating_light: CRITICAL: orders failed 3 times in a row",
        "escalation": (":mega: ESCALATION to on-call engineer: orders has not recovered in 15m"),
        "all-down": ":fire: P1: all 2 pipelines are down",
        "not-all-down": ":white_check_mark: Not all pipelines are down any more",
        "recovery": ":white_check_mark: Recovered: orders",
        "resolved": ":white_check_mark: Resolved: orders",
        "success": ":white_check_mark: Pipeline completed: orders",
        "stale": ":snail: Stale: orders, no success for 26h",
        "fresh": ":white_check_mark: Fresh again: orders",
        "anomaly": ":chart_with_downwards_trend: Anomaly: orders loaded 0 rows",
        "late": ":hourglass: Late to start: orders",
        "stuck": ":hourglass: Stuck: orders has been running for 2h",
        "silence-over": ":memo: Silence over: all pipelines, a move",
        "summary": ":memo: Pipelines of example: 15 runs, 5 failed",
        "failure list": ":x: 5 pipelines failed",
        "streak list": ":rotating_light: CRITICAL: 2 pipelines kept failing",
        "escalation list": (
            ":mega: ESCALATION: 2 pipelines did not recover, for the on-call engineer"
        ),
        "recovery list": ":white_check_mark: 3 pipelines recovered",
        "resolved list": ":white_check_mark: Resolved: the pipelines that failed together",
        "success list": ":white_check_mark: 2 pipelines completed",
        "stale list": ":snail: 2 pipelines went stale",
        "fresh list": ":white_check_mark: 2 pipelines became fresh again",
        "anomaly list": ":chart_with_downwards_trend: 2 pipelines loaded too few rows",
        "late list": ":hourglass: 2 pipelines did not start in time",
        "stuck list": ":hourglass: 2 pipelines ran longer than they may",
    }
    sentences = {name: message.sentence for name, message in messages.items()}
    since = "since 2026-03-01 06:00:00 UTC"
    assert sentences["streak"] == (
        f"orders failed 3 times in a row, {since}. This is the latest failure."
    )
    assert sentences["escalation"].startswith(f"orders has been failing {since} and has not ")
    assert sentences["all-down"].startswith(
        "The last run of every listed pipeline failed: clicks, orders. "
    )
    assert sentences["recovery"] == (
        f"orders completed. It was failing {since}, 3 time(s) in a row."
    )
    assert sentences["late"].startswith("orders should have started at 2026-03-01 07:30:00 UTC ")


def test_a_page_at_a_further_multiple_says_how_many_failures_there_were() -> None:
    subjects = [m.subject for rule, _, m in said(runs("F F F F F F")) if rule.key == "critical"]
    assert [subject for subject in subjects if not subject.startswith(":")] == [
        "CRITICAL: orders failed 3 times in a row",
        "CRITICAL: orders failed 6 times in a row",
    ]


def test_the_owner_is_the_one_of_flow_and_deployment_and_by_default_the_stacks() -> None:
    owners = [m.fields["Owner"] for rule, _, m in said() if rule.key == "warning"]
    assert owners == ["shop", "shop", "shop", "web", *["data-platform"] * 3]


def test_good_news_shows_no_error_and_a_missing_error_is_said_to_be() -> None:
    assert "Error" not in first("recovery").fields
    assert first("warning", [end("F", 0, message="")]).fields["Error"] == "none given"


@pytest.mark.parametrize("error", ["x" * 100_000, "long " * 20_000, "\u4e2d" * 50_000])
def test_a_long_error_is_cut_and_nothing_after_it_is(error: str) -> None:
    messages = said([end("F", 0, message=error)], **every_kind())
    warnings = {channel: message for rule, channel, message in messages if rule.key == "warning"}
    assert set(warnings) == set(every_kind()["channels"])
    for message in warnings.values():
        assert 300 < len(message.fields["Error"]) <= 400
        assert message.fields["Error"].endswith("...")
        assert message.fields["Owner"] == "shop"


AS_READ = {
    # Nothing that turns a text around, or is not to be seen, is left in an error.
    "\U0001f9a0 microbes \U0001f469\u200d\U0001f4bb": "\U0001f9a0 microbes \U0001f469\U0001f4bb",
    "naïve — ünïcode \u2028 line": "naïve — ünïcode \n line",
}


def _harmless(text: str) -> str:
    return text.replace("<", "\u2039").replace(">", "\u203a")


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_and_things_are_called_is_said_as_it_is(text: str) -> None:
    flow = text.translate(str.maketrans("", "", "/%&<>"))  # names as Prefect allows them
    changes: dict[str, object] = {
        "pipelines": {
            flow: {"owner": text, "deployment": flow, "escalate": True},
            "b": {"owner": "b"},
        },
        "defaultOwner": text,
        "escalation": [{"after": "15m", "to": text, "notify": ["on-call"]}],
        **without_pagerduty(),
    }
    history = [
        end("F", 0, flow, flow, message=text),
        end("F", 1, "b"),
        end("F", 2, f"other {flow}"),
    ]
    owner = _harmless(text)
    warning = first("warning", history, **changes)
    assert warning.subject == f":x: Pipeline failed: {flow}"
    for line in (
        f"*Owner*: {owner}",
        f"*Deployment*: {flow}",
        *f"*Error*: {_harmless(AS_READ.get(text, text))}".split("\n"),
    ):
        assert line in warning.body.split("\n")
    step = first("escalation-15m", history, **changes)
    assert step.subject.startswith(f":mega: ESCALATION to {text}: {flow} has not")
    assert f"*Would page*: {owner} (PagerDuty channel on-call is not set up)" in step.body
    assert flow in first("p1-all-down", history, **changes).body.split("\n")[0]
    stranger = first("warning", history[2:], **changes)
    assert f"*Owner*: {owner}" in stranger.body.split("\n")


@pytest.mark.parametrize("text", [*HOSTILE, "{{{{routing_key}}}}", "{{\nrouting_key\n}}", "```"])
def test_whatever_an_error_says_json_stays_whole_and_draws_out_no_secret(text: str) -> None:
    error = AS_READ.get(text, text)
    settings = published_of()
    [verdict] = judge([end("F", 0, "orders", message=text)], settings, NOW)[:1]
    message = message_of(verdict, settings)
    for form in (Form.RICH, Form.INCIDENT, Form.JSON, Form.HTML):
        written = in_form(message, form)
        # A block of code in Slack ends with three backticks.
        shown = error.replace("`", "'") if form is Form.RICH else error
        assert form is Form.HTML or written.fields["Error"] == shown
        assert form is not Form.RICH or "<" not in written.body
        # The block that sends JSON would put a secret there.
        assert form is Form.HTML or "{{" not in written.body
    html = in_form(message, Form.HTML).body
    assert "<" not in re.sub("</?b>|<br>", "", html)
    for form in (Form.SLACK, Form.PLAIN):
        assert "<" not in in_form(message, form).body


def test_an_outage_names_ten_pipelines_and_counts_the_rest() -> None:
    names = [f"p{number:02}" for number in range(12)]
    pipelines = {name: {"owner": "web"} for name in names}
    history = [end(outcome, at, name) for at, outcome in enumerate("SF") for name in names]
    message = first("p1-all-down", history, pipelines=pipelines)
    named = "failed: p00, p01, p02, p03, p04, p05, p06, p07, p08, p09 and 2 more. "
    assert named in message.sentence
    assert message.subject == "P1: all 12 pipelines are down"


def test_a_list_names_each_pipeline_once_with_how_often_and_its_owners_and_usual_error() -> None:
    verdict = next(v for v in ALL if v.members and v.kind is VerdictKind.FAILURE)
    message = message_of(verdict, SETTINGS)
    assert message.sentence == "5 pipelines failed: 8 within a minute, told as one."
    assert dict(message.fields) == {
        "Pipelines": "clicks, load-clicks, not listed x 2, orders x 3, other",
        "Owners": "data-platform, shop, web",
        "Most frequent error, 7 of 8": "the warehouse is asleep",
        "Look": "https://prefect.example.com/runs",
    }


@pytest.mark.parametrize("key", ["sentinel-silent", "sentinel-back"])
def test_what_is_said_of_the_alerting_itself_needs_no_event(key: str) -> None:
    # What fires is a heartbeat, or the deployment of an automation.
    changes = {**every_kind(), "defaultOwner": "{{ us }}"}
    notifications = rules_of(**changes)[key].notifications
    assert {each.channel for each in notifications} >= {"alerts", "rich", "mail", "on-call"}
    for notification in notifications:
        message = render(notification, Announced({"payload": {}}))
        assert message.fields["Owner"] == "{{ us }}"
        assert message.fields["Look"] == "https://prefect.example.com/events"


def test_silence_is_told_as_an_incident_that_a_heartbeat_closes() -> None:
    rules = rules_of()
    events = {
        key: render(rules[key].notifications[-1], Announced({"payload": {}})).document
        for key in ("sentinel-silent", "sentinel-back")
    }
    key = "data-alerts/example/alerting"
    assert {(event["event_action"], event["dedup_key"]) for event in events.values()} == {
        ("trigger", key),
        ("resolve", key),
    }
    assert events["sentinel-silent"]["event_action"] == "trigger"
    assert events["sentinel-silent"]["payload"]["severity"] == "critical"


def test_silence_says_how_long_it_lasted_and_what_to_do() -> None:
    rule = rules_of(sentinel={"silentFor": "90s"})["sentinel-silent"]
    message = render(rule.notifications[0], Announced({"payload": {}}))
    assert message.subject == "Alerting itself is down: the sentinel is silent"
    assert message.sentence.startswith("Nothing was heard of the sentinel for 1m30s. ")
    assert "alertctl sentinel run" in message.sentence
