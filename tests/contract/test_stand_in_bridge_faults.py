"""What the bridge does when the Prefect server is busy, slow, gone, wrong, or says no."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from sandbox.plugins.prefect_api import Patience
from sandbox.plugins.prefect_bridge import PrefectBridge
from sandbox.plugins.values import Properties, Value
from sandbox.ports import free_port
from sandbox.wire import Fault, Wire
from tests.contract.patient import ask
from tests.contract.replay import Engine, engine_for

pytestmark = pytest.mark.contract

AUTOMATION, BLOCK = "prefect:index/automation:Automation", "prefect:index/block:Block"
AUTOMATIONS, BLOCKS = "/api/automations/", "/api/block_documents/"
IMPATIENT = Patience(unreachable=0.3, answer=0.3, total=1.0)
FAKE_KEY, FAKE_API_KEY = "FAKE-KEY-NOT-TO-BE-SEEN", "FAKE-API-KEY-NOT-TO-BE-SEEN"
FAKE_PASSWORD = "FAKE-PASSWORD-NOT-TO-BE-SEEN"
NEVER_ANSWERED: list[Fault] = ["never answered"] * 20
BUSY = httpx.Response(503, text="database is locked")


@pytest.fixture
def engine(prefect_wire: Wire) -> Iterator[Engine]:
    with configured(f"{prefect_wire.url}/api") as engine:
        yield engine


@pytest.fixture
def name(prefect_server: str) -> Iterator[str]:
    """A name that no other test has."""
    name = f"fault-{uuid4().hex}"
    yield name
    for kind in ("automations", "block_documents"):
        for left in on_server(prefect_server, kind, name):
            ask("DELETE", f"{prefect_server}/{kind}/{left['id']}")


@contextmanager
def configured(endpoint: str, patience: Patience | None = None, **config: str) -> Iterator[Engine]:
    with engine_for(PrefectBridge(patience)) as engine:
        engine.call("Configure", {"args": {"endpoint": endpoint, **config}})
        yield engine


def on_server(prefect_server: str, kind: str, name: str) -> Value:
    wanted = {kind: {"name": {"any_": [name]}}}
    return ask("POST", f"{prefect_server}/{kind}/filter", wanted)


def automation(name: str) -> Properties:
    trigger = {"event": {"posture": "Reactive", "expects": ["never.happens"], "threshold": 1}}
    inputs = {"name": name, "trigger": trigger, "actions": [{"type": "do-nothing"}]}
    return {"type": AUTOMATION, "name": "automation", "properties": inputs}


def block(name: str) -> Properties:
    inputs = {"name": name, "typeSlug": "slack-webhook", "data": json.dumps({"url": FAKE_KEY})}
    return {"type": BLOCK, "name": "block", "properties": inputs}


@pytest.mark.parametrize("fault", [BUSY, "lost before", "lost after"], ids=str)
def test_an_automation_is_made_once_whatever_becomes_of_the_first_request(
    fault: Fault, engine: Engine, prefect_wire: Wire, name: str, prefect_server: str
) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", fault)
    made = engine.call("Create", automation(name))
    assert [a["id"] for a in on_server(prefect_server, "automations", name)] == [made["id"]]


@pytest.mark.parametrize("fault", [BUSY, "lost before", "lost after"], ids=str)
def test_a_block_is_made_whatever_becomes_of_the_first_request(
    fault: Fault, engine: Engine, prefect_wire: Wire, name: str, prefect_server: str
) -> None:
    prefect_wire.fail(f"POST {BLOCKS}", fault)
    made = engine.call("Create", block(name))
    assert [b["id"] for b in on_server(prefect_server, "block_documents", name)] == [made["id"]]


def test_an_automation_that_had_the_name_before_is_not_taken_for_the_new_one(
    engine: Engine, prefect_wire: Wire, name: str, prefect_server: str
) -> None:
    trigger = {"type": "event", "posture": "Reactive", "expect": ["never.happens"]}
    body = {"name": name, "trigger": trigger, "actions": [{"type": "do-nothing"}]}
    before = ask("POST", f"{prefect_server}/automations/", body)
    prefect_wire.fail(f"POST {AUTOMATIONS}", "lost after")
    made = engine.call("Create", automation(name))
    found = on_server(prefect_server, "automations", name)
    assert {a["id"] for a in found} == {before["id"], made["id"]}
    assert made["id"] != before["id"]


def test_two_automations_of_one_name_are_both_made_when_an_answer_is_lost(
    engine: Engine, prefect_wire: Wire, name: str
) -> None:
    first = engine.call("Create", automation(name))
    prefect_wire.fail(f"POST {AUTOMATIONS}", "lost before")
    second = engine.call("Create", automation(name))
    assert first["id"] != second["id"]


def test_a_deletion_whose_answer_was_lost_has_succeeded(
    engine: Engine, prefect_wire: Wire, name: str
) -> None:
    made = engine.call("Create", automation(name))
    prefect_wire.fail(f"DELETE /api/automations/{made['id']}", "lost after")
    request = {"type": AUTOMATION, "id": made["id"], "properties": made["properties"]}
    assert engine.call("Delete", request) == {}


def test_deleting_what_somebody_deleted_before_fails_and_names_the_cure(
    engine: Engine, name: str
) -> None:
    made = engine.call("Create", automation(name))
    request = {"type": AUTOMATION, "id": made["id"], "properties": made["properties"]}
    engine.call("Delete", request)
    assert "`pulumi refresh`" in engine.failure("Delete", request)


def test_only_one_change_at_a_time_reaches_the_server(
    engine: Engine, prefect_wire: Wire, name: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: engine.call("Create", automation(name)), range(8)))
    changes = [sent for sent in prefect_wire.sent if sent.changes]
    assert len(changes) >= 8
    assert not any(sent.changes_under_way for sent in changes)


def test_a_server_that_stays_busy_is_given_up(prefect_wire: Wire, name: str) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", *[BUSY] * 20)
    with configured(f"{prefect_wire.url}/api", IMPATIENT) as engine:
        error = engine.failure("Create", automation(name))
    assert f"at {prefect_wire.url}/api is busy (HTTP 503); gave up after" in error


def test_a_server_that_never_answers_is_given_up(prefect_wire: Wire, name: str) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", *NEVER_ANSWERED)
    with configured(f"{prefect_wire.url}/api", IMPATIENT) as engine:
        error = engine.failure("Create", automation(name))
    assert f"at {prefect_wire.url}/api gave no answer within 0.3 s; gave up" in error


def test_an_interrupted_deployment_waits_no_longer(prefect_wire: Wire, name: str) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", *[BUSY] * 1000)
    with configured(f"{prefect_wire.url}/api") as engine, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.failure, "Create", automation(name))
        engine.call("Cancel", {})
        assert "is busy" in waiting.result(timeout=10)


def test_a_server_that_is_down_is_named_without_the_credentials_in_its_address(name: str) -> None:
    port = free_port()
    endpoint = f"http://me:{FAKE_PASSWORD}@127.0.0.1:{port}/api"
    with configured(endpoint, IMPATIENT) as engine:
        error = engine.failure("Create", automation(name))
    assert f"The Prefect server at http://127.0.0.1:{port}/api takes no connection" in error
    assert "Check that the server is up" in error
    assert FAKE_PASSWORD not in error


@pytest.mark.parametrize(
    "path", ["", "/api/api"], ids=["the pages of the server", "a path it does not know"]
)
@pytest.mark.parametrize("method", ["Create", "Read", "Delete"])
def test_an_address_that_is_no_prefect_api_is_an_error_and_not_a_missing_object(
    method: str, path: str, prefect_wire: Wire, name: str
) -> None:
    request = automation(name) | {"id": str(uuid4())}
    if method == "Create":
        del request["id"]
    if method == "Read":
        request["properties"] = {}
    with configured(f"{prefect_wire.url}{path}") as engine:
        error = engine.failure(method, request)
    assert "is no Prefect API (HTTP 404)" in error
    assert "followed by /api" in error


def test_a_page_instead_of_an_answer_is_an_error(
    engine: Engine, prefect_wire: Wire, name: str
) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", httpx.Response(200, html="<h1>Welcome</h1>"))
    assert "is no Prefect API (HTTP 200)" in engine.failure("Create", automation(name))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_an_error_that_does_not_show_them(
    status: int, prefect_wire: Wire, name: str
) -> None:
    prefect_wire.fail(f"POST {AUTOMATIONS}", httpx.Response(status, json={"detail": FAKE_API_KEY}))
    with configured(f"{prefect_wire.url}/api", apiKey=FAKE_API_KEY) as engine:
        error = engine.failure("Create", automation(name))
    assert f"refused the credentials (HTTP {status})" in error
    assert "apiKey or basicAuthKey" in error
    assert FAKE_API_KEY not in error


def test_credentials_are_sent_as_prefect_expects_them(prefect_wire: Wire, name: str) -> None:
    with configured(f"{prefect_wire.url}/api", apiKey="fake") as engine:
        engine.call("Create", automation(name))
    with configured(f"{prefect_wire.url}/api", basicAuthKey="me:fake") as engine:
        engine.call("Create", automation(name))
    sent = [s.headers["Authorization"] for s in prefect_wire.sent if s.changes]
    assert sent == ["Bearer fake", "Basic bWU6ZmFrZQ=="]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(422, json={"exception_detail": [], "request_body": {"url": FAKE_KEY}}),
        httpx.Response(
            422,
            json={
                "exception_detail": [
                    {
                        "type": "value_error",
                        "loc": ["body", "data", "url"],
                        "msg": f"no URL: {FAKE_KEY}",
                        "input": FAKE_KEY,
                    }
                ]
            },
        ),
        httpx.Response(400, json={"detail": FAKE_KEY}),
        httpx.Response(409, json={"detail": FAKE_KEY}),
        httpx.Response(500, json={"exception_message": FAKE_KEY}),
        httpx.Response(418, text=FAKE_KEY),
    ],
    ids=lambda answer: str(answer.status_code),
)
def test_no_error_repeats_the_data_of_a_block(
    answer: httpx.Response, engine: Engine, prefect_wire: Wire, name: str
) -> None:
    prefect_wire.fail(f"POST {BLOCKS}", answer)
    assert FAKE_KEY not in engine.failure("Create", block(name))


def test_the_servers_own_refusal_says_why_and_repeats_no_data(engine: Engine) -> None:
    error = engine.failure("Create", block("Bad Name!"))
    assert "name: Value error, Block document name must only contain lowercase" in error
    assert FAKE_KEY not in error


def test_data_that_is_no_json_is_refused_without_being_shown(engine: Engine) -> None:
    news = {"name": "alerts", "typeSlug": "slack-webhook", "data": f'{{"url": "{FAKE_KEY}"'}
    [refusal] = engine.call("Check", {"type": BLOCK, "name": "alerts", "news": news})["failures"]
    assert "no JSON object" in refusal["reason"]
    assert FAKE_KEY not in refusal["reason"]


def test_a_block_whose_name_is_taken_is_not_overwritten(engine: Engine, name: str) -> None:
    engine.call("Create", block(name))
    error = engine.failure("Create", block(name))
    assert f"already has a block slack-webhook/{name}" in error
    assert "pulumi import" in error


def test_a_block_type_that_is_not_registered_is_named(engine: Engine, name: str) -> None:
    request = block(name)
    request["properties"]["typeSlug"] = "no-such-type"
    assert "has no block type 'no-such-type'" in engine.failure("Create", request)


def test_an_id_that_can_be_none_is_refused_on_import(engine: Engine) -> None:
    error = engine.failure("Read", {"type": AUTOMATION, "id": "warning", "name": "warning"})
    assert "'warning' is not the id of a Prefect automation, which is a UUID" in error


def test_what_is_not_on_the_server_is_not_found_by_an_import(engine: Engine) -> None:
    assert engine.call("Read", {"type": BLOCK, "id": str(uuid4()), "name": "alerts"}) == {}
