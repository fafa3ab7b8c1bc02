"""Every kind of credential that an error may name, and errors that name none."""

import time

import pytest

from alerting.redaction import REDACTED, redact
from tests.judging.credentials import CREDENTIALS

pytestmark = pytest.mark.judging


@pytest.mark.parametrize("kind", CREDENTIALS)
@pytest.mark.parametrize("around", ["{}", "OperationalError({!r})", "a: b, {}, c=d", "x\n{}\ny"])
def test_each_kind_is_taken_out_wherever_it_stands(kind: str, around: str) -> None:
    text, secrets = CREDENTIALS[kind]
    found = redact(around.format(text))
    for secret in secrets:
        assert secret in text  # or nothing would be shown
        assert secret not in found
    assert REDACTED in found


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:4200/runs?email=data@example.com",
        "https://db.example.com:5432/a@b",
        "connection to server at db:5432, user loader failed: timeout expired",
        "basic authentication is required",
        "a basic misunderstanding of the schema",
        "3 tests pass, 2 fail: sigma=0.3",
        "the global-warehouse-settings-of-europe are wrong",
        "SSLError: certificate verify failed: unable to get local issuer certificate",
        "KeyError: 'primary_key'",
        "column skuid-of-the-largest-product not found",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "jdbc:postgresql://db.example.com/dwh",
    ],
)
def test_what_only_resembles_one_stays(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_it_stays_readable() -> None:
    text = "Server=tcp:x;Uid=sa;Pwd=abc,d)ef;Encrypt=yes and host=db"
    assert redact(text) == "Server=tcp:x;Uid=sa;Pwd=[redacted];Encrypt=yes and host=db"
    assert redact("f(password=abc, x=1)") == "f(password=[redacted], x=1)"
    assert redact("[token=abc]") == "[token=[redacted]]"


@pytest.mark.parametrize(
    "unit",
    [
        *("eyJ-", "eyJ.", "SG.", "SG.aaaaaaaaa", "password", "password=", "password=,", "pwd="),
        *("://a:", "://a:b", "%3a%2f%2f", "jdbc:oracle:thin:a/", "-----BEGIN PRIVATE KEY-----"),
        *("-----BEGIN ", "<password>", "<token", "--token ", "--", " -u a:", "basic ", "cookie: "),
        *("identified by '", "sig=", "ver:1-hint:", "hvs.", "sk-", "secret'", 'token="', "a,", "'"),
        *("token='\\", "authorization", "bearer a", "/services/T", "_auth", "access-", "=" * 50),
    ],
)
def test_a_long_text_takes_time_that_grows_with_its_length_alone(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 2
