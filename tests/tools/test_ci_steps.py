"""The steps of a stack, with a stand-in for the CLI: what they run, say and leave behind."""

import os
from pathlib import Path

import pytest

from tools.ci import deploy, drift, preview, runner
from tools.ci.engine import Engine, Outcome
from tools.ci.github import marker
from tools.ci.markdown import LIMIT, folded, headline, shortened
from tools.ci.redaction import Redactor

pytestmark = pytest.mark.tools

WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/AFAKEFORTHETEST"
SUMMARY = "Resources:\n    ~ 2 to update\n    34 unchanged\n"


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CLI that notes what it is asked, in `asked`, and does what `script` says."""
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >> asked\n. ./script\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (folder / "script").write_text(f"printf '{SUMMARY}'\n")
    return folder


def _asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_the_engine_is_held_to_the_policies_where_there_are_some(cli: Path) -> None:
    Engine("prod").preview()
    (cli / "policy").mkdir()
    Engine("prod").preview()
    Engine("prod").up()
    (cli / "policy" / "prod.json").touch()
    Engine("prod").up()
    Engine("dev").up()
    without, previewed, deployed, configured, of_another = _asked(cli)
    assert "--policy-pack" not in without
    assert "--policy-pack policy" in previewed
    assert "--policy-pack policy" in deployed
    assert "--policy-pack policy --policy-pack-config policy/prod.json" in configured
    assert "--policy-pack-config" not in previewed + deployed + of_another


def test_secrets_that_the_cli_prints_reach_neither_the_log_nor_the_report(
    cli: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct-horse")
    (cli / "script").write_text(f"echo 'cannot post to {WEBHOOK} by correct-horse'; exit 255\n")
    outcome = Engine("prod").preview()
    assert outcome.code == 255
    for text in (outcome.output, capfd.readouterr().out):
        assert "cannot post to https://hooks.slack.com/[redacted] by [redacted]" in text


def test_what_a_diff_calls_its_resources_is_no_secret() -> None:
    line = "+ aws:secretsmanager/secret:Secret: (create) data-alerts:secrets:SecretStore::secrets"
    assert Redactor({}).redact(line) == line


def test_a_short_or_harmless_variable_is_not_looked_for() -> None:
    redactor = Redactor({"KEY": "prod", "HOME": "/home/somebody"})
    assert redactor.redact("prod at /home/somebody") == "prod at /home/somebody"


def test_a_preview_reports_what_would_change_and_where_it_ran() -> None:
    where = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "example/data-alerts",
        "GITHUB_RUN_ID": "17",
        "HEAD_SHA": "abcdef0123456",
    }
    report = preview.preview_report("prod", Outcome(0, SUMMARY), where)
    assert report.startswith("### Preview of prod: ~ 2 to update, 34 unchanged\n")
    assert "Of abcdef0, in [this run](https://github.com/example/data-alerts/actions/runs/17)" in (
        report
    )


def test_a_preview_that_failed_says_so_and_keeps_its_exit_code(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cli / "script").write_text("echo 'error: no such channel'; exit 3\n")
    monkeypatch.setattr("sys.argv", ["preview", "--stack", "prod"])
    with pytest.raises(SystemExit) as left:
        preview.main()
    assert left.value.code == 3
    report = (cli / "ci-reports" / "preview-prod.md").read_text()
    assert report.startswith("### Preview of prod: **failed**")
    assert "error: no such channel" in report


def test_a_report_of_any_length_fits_a_comment() -> None:
    report = preview.preview_report("prod", Outcome(0, "x" * 300_000 + "\n" + SUMMARY), {})
    assert LIMIT - 2_000 < len(f"{marker('preview', 'prod')}\n{report}") <= LIMIT
    assert "characters left out here" in report
    assert report.rstrip().endswith("</details>")


def test_two_long_differences_fit_one_issue() -> None:
    report = drift.drift_report("prod", {"one": "x" * LIMIT, "two": "y" * LIMIT})
    assert len(report) <= LIMIT - 1_000


def test_nothing_in_the_output_ends_the_block_that_holds_it() -> None:
    text = folded("Title", "```\n</details>\n@everybody\n````", 1_000)
    assert text.count("`````") == 2


@pytest.mark.parametrize("limit", [60, 100, 199])
def test_a_shortened_text_keeps_its_beginning_and_its_end(limit: int) -> None:
    short = shortened("a" * 100 + "z" * 100, limit + 20)
    assert len(short) <= limit + 20
    assert (short[0], short[-1]) == ("a", "z")


def test_an_output_without_a_summary_has_no_headline() -> None:
    assert headline("error: nothing") == "no summary"


def test_a_deployment_is_summed_up_by_what_it_did_and_not_by_its_preview() -> None:
    assert headline(SUMMARY + "\nResources:\n    ~ 2 updated\n") == "~ 2 updated"


def test_without_a_plan_the_stack_is_deployed_from_a_new_preview(
    cli: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert deploy.deploy(Engine("prod"), "prod").code == 0
    [asked] = _asked(cli)
    assert "--plan" not in asked
    assert "prod: deployed from a new preview: ~ 2 to update" in capfd.readouterr().out


def test_a_plan_that_fits_is_what_is_deployed(cli: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runner.report_file("plan", "prod", ".json").write_text("{}")
    assert deploy.deploy(Engine("prod"), "prod").code == 0
    [asked] = _asked(cli)
    assert "up --stack prod" in asked
    assert "--plan ci-reports/plan-prod.json" in asked
    assert "deployed by the reviewed plan" in capfd.readouterr().out


def test_a_plan_that_does_not_fit_is_left_and_that_is_said(
    cli: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runner.report_file("plan", "prod", ".json").write_text("{}")
    (cli / "script").write_text(
        'case "$*" in *--plan*) echo "error: resource x violates plan: y"; exit 255;; esac\n'
    )
    assert deploy.deploy(Engine("prod"), "prod").code == 0
    assert ["--plan" in asked for asked in _asked(cli)] == [True, False]
    assert "the reviewed plan does not fit any more" in capfd.readouterr().out


def test_any_other_failure_is_final_and_not_tried_without_the_plan(cli: Path) -> None:
    runner.report_file("plan", "prod", ".json").write_text("{}")
    (cli / "script").write_text("echo 'error: the stack is currently locked'; exit 255\n")
    assert deploy.deploy(Engine("prod"), "prod").code == 255
    assert len(_asked(cli)) == 1


def test_drift_is_what_either_comparison_finds(cli: Path) -> None:
    (cli / "script").write_text('case "$1" in refresh) echo "~ enabled"; exit 7;; esac\n')
    found = drift.differences(Engine("prod"))
    assert found == {"The cloud against the state": "~ enabled\n"}


def test_a_comparison_that_fails_is_no_drift_and_no_proof_of_its_absence(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cli / "script").write_text("echo 'error: 503'; exit 255\n")
    monkeypatch.setattr("sys.argv", ["drift", "--stack", "prod"])
    with pytest.raises(SystemExit) as left:
        drift.main()
    assert left.value.code == 255
    assert not (cli / "ci-reports" / "drift-prod.md").exists()


def test_drift_that_is_gone_takes_its_report_along(
    cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.report_file("drift", "prod").write_text("from the last time")
    monkeypatch.setattr("sys.argv", ["drift", "--stack", "prod"])
    drift.main()
    assert not (cli / "ci-reports" / "drift-prod.md").exists()
