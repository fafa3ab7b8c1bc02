"""What arrives of each verdict in each form: golden files, and errors that are hostile.

Golden files are in golden_messages/. To write them anew set WRITE_GOLDEN_MESSAGES=1, and read what
has changed.
"""

import html
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.plan.forms import Form
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import announcement
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import judge
from alerting.sentinel.messages import message_of
from alerting.sentinel.texts import ERROR_LENGTH, shortened
from alerting.sentinel.verdicts import Verdict
from sandbox.acts import hostile
from sandbox.capture.mentions import slack_mentions
from tests.judging.credentials import CREDENTIALS
from tests.shared.every_verdict import every_verdict
from tests.shared.example_stack import every_kind, published_of
from tests.shared.histories import end, minute

pytestmark = pytest.mark.judging

GOLDEN = Path(__file__).parent / "golden_messages"
WRITES = os.environ.get("WRITE_GOLDEN_MESSAGES") == "1"
SETTINGS = published_of(**every_kind())
JSON_FORMS = {Form.RICH, Form.INCIDENT, Form.JSON}


def document(form: Form, body: str) -> Any:  # noqa: ANN401 - JSON is untyped
    """What a JSON form says, as its block puts it together."""
    return json.loads(f"{{{body}}}" if form is Form.INCIDENT else body)


def golden_name(verdict: Verdict) -> str:
    parts = [verdict.kind.value, *([verdict.step] if verdict.step else [])]
    return "-".join([*parts, *(["list"] if verdict.members else [])])


def first_of_each() -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    for verdict in every_verdict(SETTINGS):
        found.setdefault(golden_name(verdict), verdict)
    return found


EACH = first_of_each()


def written(verdict: Verdict) -> str:
    """A message in every form, for people to read."""
    parts = []
    for form in Form:
        subject, body = message_of(verdict, SETTINGS).text(form)
        if form in JSON_FORMS:
            body = json.dumps(document(form, body), indent=2, ensure_ascii=False)
        parts.append(f"===== {form.value}\n{subject}\n-----\n{body}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("name", EACH)
def test_each_message_is_as_it_was_agreed_on(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if WRITES:
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(written(EACH[name]), encoding="utf-8")
    assert written(EACH[name]) == path.read_text(encoding="utf-8")


def test_there_is_no_golden_file_of_a_message_that_is_no_more() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(EACH)


def test_a_message_of_every_kind_is_among_them() -> None:
    assert {verdict.kind for verdict in EACH.values()} == set(VerdictKind)


# What an error may hold, and what of it must be readable in the end.
HOSTILE = {
    "quotes": ("it's \"quoted\" and 'again'", "it's \"quoted\" and 'again'"),
    "braces": ("{ {a} {{b}} }", "{ {a} {{b}} }"),
    "jinja": ("{{ 7 * 7 }} {% raw %} {# x #}", "{{ 7 * 7 }} {% raw %} {# x #}"),
    "a key's place": ("{{routing_key}} {{ routing_key }} {{\nrouting_key\n}}", "routing_key"),
    "a URL's place": ("{{url}} {{body}} {{subject}} {{name}}", "{{url}}"),
    "many braces": ("{{{{{url}}}}} {{{url}}}", "url"),
    "mentions": ("<!channel> <!here> <@U123> <!subteam^S1> !channel> @U1>", "channel"),
    "links": ("<https://evil.example.com|click me>", "click me"),
    "html": ("</b><script>alert(1)</script><at>all</at>", "alert(1)"),
    "markdown": ("*b* _i_ ~s~ `c` ```d```", "*b* _i_ ~s~"),
    "backslashes": ("C:\\temp\\new \\u007b \\\\ \\", "C:\\temp\\new"),
    "json": ('"}, "event_action": "resolve", "dedup_key": "x', "event_action"),
    "control characters": ("nul \x00 bell \x07 back \x08 del \x7f \x9b end", "end"),
    "colours": ("\x1b[31mred\x1b[0m and \x1b]0;title\x07 plain", "red and"),
    "direction": ("\u202eevil\u202c \u2066x\u2069 \u200f \ufeff zero\u200bwidth", "zerowidth"),
    "line breaks": ("a\u2028b\u2029c\x85d\r\ne\x0bf\x0cg", "a\nb\nc\nd"),
    "half a pair": ("half \ud800 a \udfff pair", "half  a  pair"),
    "emoji": ("fire \U0001f525", "fire \U0001f525"),
    "percent signs": ("%41%00 %s %(x)s ${jndi:ldap://x} $(id)", "%s %(x)s"),
    "a megabyte": ("M" * 1_000_000, "MMMM"),
    "a megabyte of braces": ("{{" * 500_000, "{{"),
    "a megabyte of mentions": ("<@" * 500_000, "@"),
    "nothing": ("", "none given"),
    "nothing to see": ("\u200b\x00\u202e", "none given"),
}
BRIEF = {name: text for name, (text, _) in HOSTILE.items()}


def told_of(error: str, verdict: Verdict) -> Verdict:
    """A verdict whose every run has ended with this error."""

    def failed(ended: Ended) -> Ended:
        return replace(ended, message=error)

    members = tuple(replace(each, ended=failed(each.ended)) for each in verdict.members)
    return replace(verdict, ended=failed(verdict.ended), members=members)


WITH_ERRORS = ["failure", "streak", "escalation-15m", "all-down", "failure-list", "streak-list"]


def forms_of(error: str, names: Sequence[str] = WITH_ERRORS) -> Iterator[tuple[Form, str, str]]:
    """Every message that names an error, in every form."""
    for name in names:
        message = message_of(told_of(error, EACH[name]), SETTINGS)
        for form in Form:
            subject, body = message.text(form)
            yield form, subject, body


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


@pytest.mark.parametrize("name", HOSTILE)
def test_json_stays_json_and_says_what_it_should(name: str) -> None:
    text, expected = HOSTILE[name]
    for form, _, body in forms_of(text):
        if form in JSON_FORMS:
            found = document(form, body)
            assert any(
                expected in html.unescape(each).replace("```", "") for each in strings(found)
            )
            if form is Form.INCIDENT:
                assert found["event_action"] == "trigger"
                assert found["dedup_key"].startswith("data-alerts/example/")


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_say_what_they_should(name: str) -> None:
    text, expected = HOSTILE[name]
    for form, _, body in forms_of(text):
        if form in {Form.SLACK, Form.PLAIN}:
            assert expected.replace("<", "\u2039").replace(">", "\u203a") in body
        if form is Form.HTML:
            assert expected in html.unescape(body)


@pytest.mark.parametrize(
    "text", [*BRIEF.values(), *hostile.HOSTILE], ids=lambda text: repr(text)[:20]
)
class TestHostileErrors:
    """What no error can do."""

    def test_no_form_holds_what_a_block_would_put_a_secret_in_place_of(self, text: str) -> None:
        for form, subject, body in forms_of(text):
            assert "{{" not in subject
            if form in JSON_FORMS:
                assert "{{" not in body
                # As the block does, with any name that it knows.
                whole = '{"routing_key": "{{\nrouting_key\n}}", ' + body + "}"
                assert whole.count("{{") == 1
                assert not re.search(r"\{\{\s*\w+\s*\}\}", body)

    def test_nobody_is_mentioned(self, text: str) -> None:
        for form, subject, body in forms_of(text):
            if form is Form.SLACK:
                assert not set("<>") & set(body + subject)
            if form is Form.RICH:
                found = document(form, body)
                assert slack_mentions(found) == ()
                for each in strings(found["blocks"]):
                    assert not set("<>") & set(each)
            if form is Form.PLAIN:
                assert "<at>" not in body
            if form is Form.HTML:
                assert set(re.findall(r"<[^>]*>", body)) <= {"<b>", "</b>", "<br>"}

    def test_it_is_short_and_shows_nothing_that_cannot_be_seen(self, text: str) -> None:
        for form, subject, body in forms_of(text):
            is_json = form in JSON_FORMS
            texts = list(strings(document(form, body))) if is_json else [subject, body]
            for each in texts:
                assert len(each) < 6 * ERROR_LENGTH
                hidden = re.findall(r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", each)
                assert not hidden
                assert not re.findall("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", each)
                each.encode()

    def test_what_is_announced_is_json_without_half_characters(self, text: str) -> None:
        event = announcement(told_of(text, EACH["failure"]), SETTINGS, minute(0))
        json.dumps(event, ensure_ascii=False).encode()
        assert len(json.dumps(event)) < 20_000

    def test_a_block_of_code_cannot_be_left(self, text: str) -> None:
        for form, _, body in forms_of(text):
            if form is Form.RICH:
                for each in strings(document(form, body)["blocks"]):
                    assert each.count("```") in {0, 2}


SECRETS = {
    **CREDENTIALS,
    **{f"of a drill, {text[:20]}": (text, (secret,)) for text, secret in hostile.CREDENTIALS},
}
HIDDEN_IN = [
    "{}",
    "x" * 300 + " {}",
    "\x1b[31m{}\x1b[0m",
    "Traceback (most recent call last):\r\n  {}\r\n",
    '{{"error": "{}"}}',
]


@pytest.mark.parametrize("kind", SECRETS)
def test_no_credential_arrives_in_any_form(kind: str) -> None:
    text, secrets = SECRETS[kind]
    for around in HIDDEN_IN:
        for form, subject, body in forms_of(around.format(text), ["streak", "failure-list"]):
            found = [subject, body]
            if form in JSON_FORMS:
                found += strings(document(form, body))
            for secret in secrets:
                # Nor the beginning of one that was cut off.
                assert not any(secret[:8] in each for each in found), form


@pytest.mark.parametrize("kind", SECRETS)
def test_signs_that_cannot_be_seen_hide_no_credential(kind: str) -> None:
    text, secrets = SECRETS[kind]
    for hide in ("\u200b", "\x00", "\x1b[0m", "\u202e", "\u00ad"):
        for place in range(1, len(text), max(1, len(text) // 12)):
            found = shortened(text[:place] + hide + text[place:])
            assert not any(secret in found for secret in secrets)


def test_no_credential_is_in_what_is_announced() -> None:
    for text, secrets in SECRETS.values():
        for name in ("failure", "failure-list"):
            event = json.dumps(announcement(told_of(text, EACH[name]), SETTINGS, minute(0)))
            assert not any(secret in event for secret in secrets)


@pytest.mark.parametrize("hostile_name", ["a\x00b\u202ec", "M" * 100_000, "password=hunter2xyz"])
def test_a_runs_name_and_state_are_as_harmless_as_its_error(hostile_name: str) -> None:
    ended = replace(end("F", 0), run=hostile_name, state=hostile_name)
    [verdict, *_] = judge([ended], SETTINGS, minute(1))
    for form in Form:
        subject, body = message_of(verdict, SETTINGS).text(form)
        assert len(subject + body) < 6_000
        assert "hunter2" not in body
        assert not {"\x00", "\u202e"} & set(body)
        assert "\\u202e" not in body
    assert len(json.dumps(announcement(verdict, SETTINGS, minute(0)))) < 20_000


def test_messages_are_short_enough_for_a_telephone() -> None:
    for name, verdict in EACH.items():
        subject, body = message_of(verdict, SETTINGS).plain()
        assert len(subject) <= 120, name
        assert len(body.splitlines()) <= 12, name


def test_a_list_of_a_thousand_pipelines_is_short_as_well() -> None:
    failure = EACH["failure"]
    members = tuple(
        replace(failure, ended=replace(failure.ended, flow=f"a-flow-with-a-long-name-{number}"))
        for number in range(1_000)
    )
    message = message_of(replace(failure, members=members, outage=None), SETTINGS)
    for form in Form:
        subject, body = message.text(form)
        assert len(subject) <= 120
        assert len(body) < 8_000
