"""The stand-ins refuse to work outside a sandbox, and to reach anything beyond this machine."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from sandbox.plugins.aws import Aws
from sandbox.plugins.prefect_bridge import PrefectBridge
from sandbox.plugins.provider import Plugin
from sandbox.plugins.values import Properties
from tests.contract.replay import SIGNATURE, Engine, engine_for, plain

pytestmark = pytest.mark.contract

BRIDGE, AWS = "terraform-provider", "aws"
REMOTE_PROVIDER = {"url": "registry.opentofu.org/prefecthq/prefect", "version": "3.4.1"}
PARAMETER = base64.b64encode(json.dumps({"remote": REMOTE_PROVIDER}).encode()).decode()
REMOTE = [
    "",
    "api.prefect.cloud",
    "https://api.prefect.cloud/api",
    "http://10.0.0.1:4200/api",
    "http://0.0.0.0:4200/api",
    "http://127.0.0.1.example.com/api",
    "http://localhost@example.com/api",
    "http://[::1/api",
    "http://127.0.0.1:port/api",
    "file:///api",
]
LOOPBACK = [
    "http://127.0.0.1:4200/api",
    "http://127.8.8.8:4200/api",
    "http://localhost:4200/api",
    "http://[::1]:4200/api",
    "https://localhost:4200/api",
]


@pytest.fixture
def bridge() -> Iterator[Engine]:
    with engine_for(PrefectBridge()) as engine:
        yield engine


@pytest.fixture
def aws() -> Iterator[Engine]:
    with engine_for(Aws()) as engine:
        yield engine


def refusals(engine: Engine, config: Properties) -> str:
    failures = engine.call("CheckConfig", {"news": config}).get("failures", [])
    return " ".join(failure["reason"] for failure in failures)


def aws_config(**config: str) -> Properties:
    endpoints = json.dumps([{"secretsmanager": "http://127.0.0.1:5000"}])
    return {"region": "eu-west-1", "endpoints": endpoints, **config}


@pytest.mark.parametrize("plugin", [PrefectBridge(), Aws()], ids=[BRIDGE, AWS])
def test_there_is_no_handshake_outside_a_sandbox(
    plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATA_ALERTS_SANDBOX", raising=False)
    with engine_for(plugin) as engine:
        unset = engine.failure("Handshake", {"engineAddress": "127.0.0.1:1"})
        monkeypatch.setenv("DATA_ALERTS_SANDBOX", str(tmp_path))
        empty = engine.failure("Handshake", {"engineAddress": "127.0.0.1:1"})
        (tmp_path / "sandbox.json").touch()
        agreed = engine.call("Handshake", {"engineAddress": "127.0.0.1:1"})
    assert "DATA_ALERTS_SANDBOX is not set" in unset
    assert f"no {tmp_path}/sandbox.json" in empty
    for refusal in (unset, empty):
        assert "stand-in for tests" in refusal
        assert "to use the vendor's plugin, remove sandbox/plugins/bin from PATH" in refusal
    assert agreed == {"acceptResources": True, "supportsAutonamingConfiguration": True}


@pytest.mark.parametrize("endpoint", REMOTE)
def test_an_endpoint_beyond_this_machine_is_refused(
    endpoint: str, bridge: Engine, aws: Engine
) -> None:
    of_aws = aws_config(endpoints=json.dumps([{"secretsmanager": endpoint}]))
    for engine, config in ((bridge, {"endpoint": endpoint}), (aws, of_aws)):
        assert "loopback address" in refusals(engine, config)
        assert "remove sandbox/plugins/bin from PATH" in refusals(engine, config)
        assert "loopback address" in engine.failure("Configure", {"args": config})


@pytest.mark.parametrize("endpoint", LOOPBACK)
def test_an_endpoint_on_this_machine_is_taken(endpoint: str, bridge: Engine, aws: Engine) -> None:
    of_aws = aws_config(endpoints=json.dumps([{"secretsmanager": endpoint}]))
    assert refusals(bridge, {"endpoint": endpoint}) == ""
    assert refusals(aws, of_aws) == ""


def test_no_endpoint_at_all_would_be_aws_itself_and_is_refused(aws: Engine) -> None:
    assert "loopback address" in refusals(aws, aws_config(endpoints="[]"))
    elsewhere = json.dumps([{"secretsmanager": "http://127.0.0.1:1", "s3": "http://10.0.0.1"}])
    assert "'http://10.0.0.1'" in refusals(aws, aws_config(endpoints=elsewhere))


def test_a_refused_address_is_shown_without_its_credentials(bridge: Engine) -> None:
    refusal = refusals(bridge, {"endpoint": "https://me:FAKEPASSWORD@api.prefect.cloud/api"})
    assert "'https://api.prefect.cloud/api'" in refusal
    assert "FAKEPASSWORD" not in refusal


def test_a_configuration_for_prefect_cloud_is_refused(bridge: Engine) -> None:
    config = {"endpoint": LOOPBACK[0], "workspaceId": "1", "accountId": "2"}
    assert "accountId is not supported" in refusals(bridge, config)
    assert "must not end in a slash" in refusals(bridge, {"endpoint": f"{LOOPBACK[0]}/"})


def test_a_region_must_be_given(aws: Engine) -> None:
    assert "set aws:region" in refusals(aws, aws_config(region=""))
    assert "profile is not supported" in refusals(aws, aws_config(profile="prod"))


def test_keys_in_a_configuration_become_secrets(bridge: Engine, aws: Engine) -> None:
    of_bridge = {"endpoint": LOOPBACK[0], "apiKey": "fake", "basicAuthKey": "fake"}
    of_aws = aws_config(accessKey="fake", secretKey="fake")
    for engine, config in ((bridge, of_bridge), (aws, of_aws)):
        inputs = engine.call("CheckConfig", {"news": config})["inputs"]
        assert plain(inputs) == config
        assert {k for k, v in inputs.items() if isinstance(v, dict) and SIGNATURE in v} == {
            key for key, value in config.items() if value == "fake"
        }


def test_the_bridge_becomes_the_prefect_provider_and_no_other(bridge: Engine) -> None:
    value = {"name": "prefect", "version": "3.4.1", "value": PARAMETER}
    assert bridge.call("Parameterize", {"value": value}) == {"name": "prefect", "version": "3.4.1"}
    other = bridge.failure("Parameterize", {"value": value | {"name": "random"}})
    assert "bridges prefecthq/prefect 3.4.1 and was asked for random" in other
    nothing = bridge.failure("Parameterize", {"value": value | {"value": "e30="}})
    assert "was asked for something else" in nothing


def test_only_a_changed_version_leaves_a_provider_as_it_is(bridge: Engine) -> None:
    olds = {"endpoint": LOOPBACK[0], "version": "3.4.1"}
    same = bridge.call("DiffConfig", {"olds": olds, "news": olds | {"version": "1.1.3"}})
    moved = bridge.call("DiffConfig", {"olds": olds, "news": olds | {"endpoint": LOOPBACK[1]}})
    assert (same, moved) == ({"changes": "DIFF_NONE"}, {})


def test_what_a_stand_in_does_not_have_is_named(aws: Engine) -> None:
    aws.call("Configure", {"args": aws_config()})
    bucket = aws.failure("Check", {"type": "aws:s3/bucket:Bucket", "name": "b", "news": {}})
    assert "has no resource type aws:s3/bucket:Bucket; it has aws:secretsmanager/secret" in bucket
    caller = aws.failure("Invoke", {"tok": "aws:index/getCallerIdentity:getCallerIdentity"})
    assert "has no function aws:index/getCallerIdentity" in caller


def test_what_the_protocol_has_and_a_stand_in_has_not_is_said_so(aws: Engine) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        aws.call("GetSchema", {})
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
