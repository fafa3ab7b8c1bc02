"""The steps that talk to GitHub: one comment, one issue, and the plan that was reviewed."""

from collections.abc import Callable, Mapping

import httpx
import pytest

from tests.shared.fake_github import REPOSITORY, FakeGitHub
from tools.ci.comment import put_comment
from tools.ci.drift_issue import close_issue, open_issue
from tools.ci.github import GitHub, GitHubError, marker
from tools.ci.markdown import LIMIT
from tools.ci.reviewed_plan import NoPlanError, artifact_name, reviewed_plan

pytestmark = pytest.mark.tools

PULL, MARK = 7, marker("preview", "prod")
HEAD, COMMIT = "a" * 40, "c" * 40
PLAN = {"plan-prod.json": b"the plan"}


@pytest.fixture
def fake() -> FakeGitHub:
    return FakeGitHub()


@pytest.fixture
def github(fake: FakeGitHub) -> GitHub:
    return GitHub(fake.client(), REPOSITORY)


def test_the_first_preview_makes_a_comment_and_the_next_edits_it(
    fake: FakeGitHub, github: GitHub
) -> None:
    put_comment(github, PULL, MARK, "one")
    put_comment(github, PULL, MARK, "two")
    assert [c["body"] for c in fake.comments] == [f"{MARK}\ntwo"]
    assert fake.writes == ["POST /issues/7/comments", "PATCH /issues/comments/1"]


def test_an_unchanged_preview_writes_nothing(fake: FakeGitHub, github: GitHub) -> None:
    put_comment(github, PULL, MARK, "one")
    put_comment(github, PULL, MARK, "one")
    assert len(fake.writes) == 1


def test_each_stack_has_a_comment_of_its_own(fake: FakeGitHub, github: GitHub) -> None:
    put_comment(github, PULL, marker("preview", "dev"), "dev")
    put_comment(github, PULL, MARK, "prod")
    assert len(fake.comments) == 2


def test_a_comment_on_a_later_page_is_found(fake: FakeGitHub, github: GitHub) -> None:
    for number in range(150):
        fake.add_comment(PULL, f"talk {number}")
    fake.add_comment(PULL, f"{MARK}\none", by="bot")
    put_comment(github, PULL, MARK, "two")
    assert fake.comments[-1]["body"] == f"{MARK}\ntwo"
    assert len(fake.comments) == 151


def test_somebody_elses_comment_with_our_mark_is_left_alone(
    fake: FakeGitHub, github: GitHub
) -> None:
    fake.add_comment(PULL, f"{MARK}\nmine")
    put_comment(github, PULL, MARK, "ours")
    assert [c["body"] for c in fake.comments] == [f"{MARK}\nmine", f"{MARK}\nours"]


def test_an_issue_is_opened_once_follows_the_drift_and_is_closed(
    fake: FakeGitHub, github: GitHub
) -> None:
    open_issue(github, MARK, "Drift in prod", "one")
    open_issue(github, MARK, "Drift in prod", "one")
    open_issue(github, MARK, "Drift in prod", "two")
    [issue] = fake.issues
    assert issue["body"] == f"{MARK}\ntwo"
    close_issue(github, MARK, "gone")
    assert issue["state"] == "closed"
    assert [c["body"] for c in fake.comments] == ["gone"]
    assert fake.writes[:2] == ["POST /issues", "PATCH /issues/1"]


def test_no_drift_and_no_issue_writes_nothing(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_issue("somebody's own")
    close_issue(github, MARK, "gone")
    assert fake.writes == []


def test_drift_that_comes_back_opens_a_new_issue(fake: FakeGitHub, github: GitHub) -> None:
    open_issue(github, MARK, "Drift in prod", "one")
    close_issue(github, MARK, "gone")
    open_issue(github, MARK, "Drift in prod", "one")
    assert [i["state"] for i in fake.issues] == ["closed", "open"]


def test_neither_a_pull_request_nor_a_strangers_issue_is_taken_for_ours(
    fake: FakeGitHub, github: GitHub
) -> None:
    fake.add_issue(MARK)
    fake.add_issue(MARK, by="bot", pull_request={})
    open_issue(github, MARK, "Drift in prod", "one")
    assert len(fake.issues) == 3


def test_the_plan_of_what_was_merged_is_fetched_and_the_token_stays_with_github(
    fake: FakeGitHub, github: GitHub
) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, {"plan-prod.json": b"an older one"})
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, PLAN)
    fake.add_artifact(artifact_name("dev", HEAD), HEAD, {"plan-dev.json": b"another stack's"})
    assert reviewed_plan(github, "prod", COMMIT) == b"the plan"


def _not_merged(fake: FakeGitHub) -> None:
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, PLAN)


def _still_open(fake: FakeGitHub) -> None:
    _not_merged(fake)
    fake.merge(COMMIT, HEAD)
    fake.merged[COMMIT]["merged_at"] = None


def _another_commit_of_the_branch(fake: FakeGitHub) -> None:
    _not_merged(fake)
    fake.merge(COMMIT, HEAD)
    fake.merged[COMMIT]["merge_commit_sha"] = "d" * 40


def _from_a_fork(fake: FakeGitHub) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, PLAN, head_repository_id=666)


def _of_another_commit(fake: FakeGitHub) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), "b" * 40, PLAN)


def _expired(fake: FakeGitHub) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, PLAN, expired=True)


def _of_two_files(fake: FakeGitHub) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, {**PLAN, "more": b""})


def _no_archive(fake: FakeGitHub) -> None:
    fake.merge(COMMIT, HEAD)
    fake.add_artifact(artifact_name("prod", HEAD), HEAD, PLAN)
    fake.archives[1] = b"no archive"


@pytest.mark.parametrize(
    "arrange",
    [
        _not_merged,
        _still_open,
        _another_commit_of_the_branch,
        _from_a_fork,
        _of_another_commit,
        _expired,
        _of_two_files,
        _no_archive,
    ],
)
def test_a_plan_that_was_not_reviewed_is_not_taken(
    fake: FakeGitHub, github: GitHub, arrange: Callable[[FakeGitHub], None]
) -> None:
    arrange(fake)
    with pytest.raises(NoPlanError):
        reviewed_plan(github, "prod", COMMIT)


@pytest.mark.parametrize(
    ("status", "hint"), [(403, "permissions"), (404, "log above"), (502, "run it again")]
)
def test_what_github_refuses_is_one_line_that_names_no_token(status: int, hint: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text="<html>"))
    client = httpx.Client(
        base_url="https://api.github.com",
        transport=transport,
        headers={"Authorization": "Bearer a-token-of-github"},
    )
    with pytest.raises(GitHubError, match=hint) as error:
        GitHub(client, REPOSITORY).post("issues", {})
    assert "a-token-of-github" not in str(error.value)


def test_a_github_out_of_reach_is_one_line() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    client = httpx.Client(base_url="https://api.github.com", transport=httpx.MockTransport(refuse))
    with pytest.raises(GitHubError, match="does not answer: ConnectError"):
        GitHub(client, REPOSITORY).get("issues")


@pytest.mark.parametrize(
    "environment", [{"GITHUB_TOKEN": "x"}, {"GITHUB_REPOSITORY": REPOSITORY}, {}]
)
def test_a_step_outside_a_workflow_says_what_it_lacks(environment: Mapping[str, str]) -> None:
    with pytest.raises(GitHubError, match="is not set"):
        GitHub.from_environment(environment)


def test_the_fake_refuses_what_github_would(github: GitHub) -> None:
    with pytest.raises(GitHubError, match="422"):
        put_comment(github, PULL, MARK, "x" * LIMIT)
