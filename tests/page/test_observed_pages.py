"""The pages of `alertctl serve`, as a person sees them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from alerting.observing import observer, prefect_reader
from alerting.observing.page.server import HEADERS
from alerting.observing.silences import Silence
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.events import announcement
from alerting.sentinel.judging import judge
from tests.page.observed import Served, served
from tests.shared.drills import BEGAN, ENDED, acted, drill_of, requested
from tests.shared.example_stack import published_of
from tests.shared.fake_prefect import NOW, FakePrefect, ago
from tests.shared.fake_workspace import end

pytestmark = pytest.mark.page

PAGES = ["/", "/pipelines/orders", "/pipelines/load-clicks/prod", "/alerting", "/silences"]
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>{{ 7*7 }}"
SECRET = "hunter2hunter2"
UNBROKEN = "x" * 300


@dataclass(frozen=True)
class Window:
    id: str
    pipelines: tuple[str, ...]
    starts: datetime
    ends: datetime
    reason: str = "warehouse upgrade"
    author: str = "ada"


WINDOWS = (
    Window("1", ("orders",), ago(hours=1), NOW + timedelta(hours=2)),
    Window("2", (), NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2), "new disks"),
    Window("3", ("clicks",), ago(days=3), ago(days=2), "was slow"),
)


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    """Orders that fail, clicks that work, a drill, and silences."""
    fake = FakePrefect()
    fake.heartbeat(ago(seconds=10))
    for day in range(1, 30):
        fake.run("orders", "Completed", ago(days=day), seconds=60 + day)
    for minutes in (50, 30, 10):
        fake.run("orders", "Failed", ago(minutes=minutes), message=f"no password={SECRET} here")
    for hour in range(1, 60):
        state = "Crashed" if hour == 20 else "Completed"
        fake.run("load-clicks", state, ago(hours=hour), deployment="prod", seconds=600)
    history = [end("orders", minutes) for minutes in (310, 330, 350)]
    for verdict in judge(history, fake.settings, history[-1].at):
        made = announcement(verdict, fake.settings, verdict.at)
        fake.events.append({**made, "received": made["occurred"]})
        if made["event"].endswith(".failure"):
            _sent(fake, made, 1.5)
    _drilled(fake)

    async def silences(*_: object) -> tuple[Silence, ...]:
        return WINDOWS

    monkeypatch.setattr(observer, "stored_silences", silences)
    return fake


def _sent(fake: FakePrefect, cause: Any, seconds: float) -> None:  # noqa: ANN401 - JSON
    at = datetime.fromisoformat(cause["payload"]["at"]) + timedelta(seconds=seconds)
    related = [
        {
            "prefect.resource.id": f"prefect.event.{cause['id']}",
            "prefect.resource.role": "triggering-event",
        }
    ]
    payload = {"action_index": 0, "action_type": "send-notification"}
    resource = {"prefect.resource.name": "DLT Pipeline Failure Alert"}
    fake.event("prefect.automation.action.executed", at, resource, payload, related)


def _drilled(fake: FakePrefect) -> None:
    drill = drill_of()
    for phase, seconds in ((BEGAN, 0), (ENDED, 5)):
        request = requested(drill, phase, seconds)
        fake.events.append({**request, "occurred": request["received"]})
        for index in range(len(drill.rules[0].channels)):
            fake.events.append({"id": f"{phase}{index}", **acted(drill, phase, index, seconds + 1)})


@pytest.fixture
def pages(prefect: FakePrefect) -> Iterator[Served]:
    with served(prefect) as found:
        yield found


@pytest.fixture
def tab(browser: Browser, pages: Served) -> Iterator[Page]:
    """An open page; at the end it has asked no other host and reported no fault."""
    with browser.new_context(base_url=pages.url) as context:
        tab = context.new_page()
        asked: set[str] = set()
        faults: list[str] = []
        tab.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        tab.on("console", lambda message: faults.append(message.text))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        yield tab
        assert asked <= {urlsplit(pages.url).netloc}
        assert [fault for fault in faults if "Failed to load resource" not in fault] == []


def opened(tab: Page, path: str) -> Page:
    """The page with all that can be read of it."""
    tab.goto(path)
    expect(tab.locator("#part table").first).to_be_visible()
    expect(tab.locator("#progress")).to_have_count(0, timeout=60_000)
    return tab


def row(tab: Page, key: str) -> Locator:
    return tab.locator(f'tr[data-pipeline="{key}"]')


def test_pipelines_stand_in_the_order_of_their_urgency_with_their_figures(tab: Page) -> None:
    opened(tab, "/")
    names = tab.locator("#pipelines tbody th a")
    expect(names).to_have_text(["clicks", "orders"])  # orders is silenced
    orders = row(tab, "orders")
    expect(orders.locator(".badge")).to_have_text("failing")
    expect(orders.locator(".in-a-row")).to_contain_text("3")
    expect(orders.locator(".rate-7")).to_have_text("70.0%")
    expect(orders.locator(".rate-30")).to_have_text("90.6%")
    expect(orders.locator(".mean-30")).to_have_text("1m 15s")
    expect(orders.locator(".silence")).to_have_text("silenced until 01 Mar 14:00")
    expect(orders.locator(".incident .tier")).to_have_text("escalation 15m")
    expect(row(tab, "load-clicks/prod").locator(".p95-7")).to_have_text("10m 00s")
    expect(tab.locator("#state-failing")).to_have_text("1 failing")


def test_owners_and_states_are_filtered_by_the_address(tab: Page) -> None:
    opened(tab, "/")
    tab.locator("#state-failing").click()
    expect(tab).to_have_url("/?state=failing")
    expect(tab.locator("#pipelines tbody tr")).to_have_count(1)
    expect(tab.locator("#state-failing")).to_have_attribute("aria-current", "true")
    tab.get_by_label("Owner").select_option("web")
    tab.get_by_role("button", name="Filter").click()
    expect(tab.get_by_text("No pipeline is like that")).to_be_visible()
    tab.get_by_role("link", name="All pipelines").click()
    expect(tab.locator("#pipelines tbody tr")).to_have_count(2)
    tab.goto("/?owner=web")
    expect(tab.locator("#pipelines tbody th a")).to_have_text(["clicks"])


def test_a_pipelines_page_tells_its_story(tab: Page) -> None:
    opened(tab, "/").get_by_role("link", name="orders").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("orders")
    expect(tab.locator("#streak")).to_have_text("3")
    expect(tab.locator("#incident")).to_contain_text("escalation 15m since")
    week = tab.locator('#figures tr[data-days="7"] td')
    expect(week).to_have_text(["10", "3", "70.0%", "1m 04s", "1m 07s"])
    expect(tab.locator("#runs tbody tr")).to_have_count(20)
    expect(tab.locator("#runs tbody tr").first).to_contain_text("no password=[redacted] here")
    expect(tab.locator("#to-runbook")).to_have_attribute("href", "https://wiki.example.com/orders")
    expect(tab.locator("tr.notification")).to_have_count(3)
    expect(tab.locator("tr.notification").first).to_contain_text("1.5")
    expect(tab.get_by_role("img", name="the last 32 runs in time, 3 failed")).to_be_visible()
    expect(tab.get_by_role("img", name="durations of the last 32 runs")).to_be_visible()


def test_the_alertings_own_health_is_shown(tab: Page, prefect: FakePrefect) -> None:
    opened(tab, "/alerting")
    expect(tab.locator("#checks li")).to_have_count(5)
    expect(tab.locator("#checks li.good")).to_have_count(5)
    expect(tab.locator("#channels tbody tr")).to_have_count(3)
    expect(tab.locator("#drill tbody tr")).to_have_count(4)
    expect(tab.locator("#alerts")).to_have_text("3")
    expect(tab.locator("#median")).to_have_text("1.5s")
    prefect.paused.add("DLT Pipeline Recovery")
    expect(tab.locator("#checks li.wrong")).to_contain_text("switched off")
    expect(tab.get_by_role("link", name="Alerting")).to_contain_text("!")
    tab.goto("/")
    expect(tab.locator("#impaired")).to_contain_text("The alerting itself is impaired")


def test_silences_that_are_on_to_come_and_past_are_shown(tab: Page) -> None:
    opened(tab, "/silences")
    for name, text in (("On now", "orders"), ("To come", "new disks"), ("Past", "was slow")):
        expect(tab.get_by_role("region", name=name, exact=True).first).to_contain_text(text)
    expect(tab.locator(".silence-row")).to_have_count(3)


def test_what_happens_is_shown_without_a_reload_and_focus_stays(
    tab: Page, prefect: FakePrefect
) -> None:
    opened(tab, "/")
    tab.evaluate("window.loadedOnce = true")
    link = tab.get_by_role("link", name="clicks")
    link.focus()
    prefect.now += timedelta(seconds=30)
    prefect.run("load-clicks", "Failed", prefect.now, deployment="prod")
    expect(row(tab, "load-clicks/prod").locator(".badge")).to_have_text("failing")
    expect(link).to_be_focused()
    expect(tab.locator("#news")).to_contain_text("2 failing")
    assert tab.evaluate("window.loadedOnce")


WRONG = {
    "down": httpx.Response(503),
    "refusing": httpx.Response(401),
    "nonsense": httpx.Response(200, text="<html>"),
    "odd": httpx.Response(200, json={"what": "is this"}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_page_whose_prefect_is_gone_keeps_its_last_data_and_says_that_it_is_old(
    tab: Page, prefect: FakePrefect, wrong: str
) -> None:
    opened(tab, "/")
    prefect.fails = lambda _path: WRONG[wrong]
    expect(tab.locator("#old-data")).to_contain_text("Old data", timeout=60_000)
    expect(tab.locator("#old-data")).to_contain_text("2026-03-01 12:00:00 UTC")
    expect(row(tab, "orders").locator(".rate-30")).to_have_text("90.6%")
    tab.reload()
    expect(row(tab, "orders").locator(".rate-30")).to_have_text("90.6%")
    prefect.fails = lambda _path: None
    expect(tab.locator("#old-data")).to_have_count(0, timeout=60_000)


def test_a_page_whose_prefect_hangs_keeps_its_last_data_and_says_so(
    tab: Page, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tab, "/")
    monkeypatch.setattr(prefect_reader, "ANSWER_SECONDS", 1.0)
    prefect.hangs = True
    expect(tab.locator("#old-data")).to_contain_text("does not answer within 1 s", timeout=60_000)
    tab.reload()
    expect(row(tab, "orders").locator(".rate-30")).to_have_text("90.6%")
    prefect.hangs = False
    expect(tab.locator("#old-data")).to_have_count(0, timeout=60_000)


def test_before_the_first_data_the_page_is_up_and_says_why_there_is_none(
    browser: Browser, prefect: FakePrefect
) -> None:
    prefect.fails = lambda _path: httpx.Response(401)
    with served(prefect) as pages, browser.new_context(base_url=pages.url) as context:
        tab = context.new_page()
        tab.goto("/")
        expect(tab.locator("#old-data")).to_contain_text("refuses the credentials", timeout=60_000)
        prefect.fails = lambda _path: None
        expect(tab.locator("#pipelines")).to_be_visible(timeout=60_000)


def test_a_page_whose_own_server_is_gone_says_so(browser: Browser, prefect: FakePrefect) -> None:
    with browser.new_context() as context:
        tab = context.new_page()
        with served(prefect) as pages:
            tab.goto(pages.url)
            expect(tab.locator("#connection")).to_contain_text("live")
        expect(tab.locator("#connection")).to_contain_text("no longer answers", timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_kept_checker_finds_no_serious_violation(
    browser: Browser, pages: Served, width: int, scheme: str
) -> None:
    chosen: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    with browser.new_context(base_url=pages.url, **chosen) as context:
        tab = context.new_page()
        for path in PAGES:
            opened(tab, path)
            found = Axe().run(tab).response["violations"]
            grave = [v for v in found if v["impact"] in ("serious", "critical")]
            told = [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in grave]
            assert told == [], f"{path} at {width} in {scheme}"


@pytest.mark.parametrize("width", [320, 390, 700, 1280, 1920])
def test_nothing_is_wider_than_the_window(tab: Page, prefect: FakePrefect, width: int) -> None:
    prefect.run(UNBROKEN, "Failed", ago(minutes=2), message=UNBROKEN)
    tab.set_viewport_size({"width": width, "height": 800})
    for path in (*PAGES, f"/pipelines/{UNBROKEN}"):
        opened(tab, path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path


def test_hostile_names_and_errors_are_shown_and_do_nothing(tab: Page, prefect: FakePrefect) -> None:
    prefect.run(HOSTILE, "Failed", ago(minutes=2), message=HOSTILE)
    opened(tab, "/")
    link = tab.locator("#pipelines tbody th a", has_text="window.hacked")
    expect(link).to_have_text(HOSTILE)
    link.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(tab.locator(".error")).to_contain_text("window.hacked = 1")
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("main img, main script").count() == 0


def test_everything_can_be_reached_by_the_keyboard(tab: Page) -> None:
    opened(tab, "/")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached = set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.textContent.trim().split('\\n')[0]"))
    first = {text.split(" ")[0] for text in reached}
    assert {"Pipelines", "Silences", "Filter", "orders", "clicks"} <= first


def test_the_page_needs_no_javascript(browser: Browser, pages: Served) -> None:
    with browser.new_context(java_script_enabled=False, base_url=pages.url) as context:
        tab = context.new_page()
        tab.goto("/")
        tab.wait_for_timeout(1)
        with httpx.Client(base_url=pages.url, trust_env=False) as client:
            _until_complete(client)
        tab.reload()
        tab.get_by_role("link", name="orders").click()
        expect(tab.locator("#runs")).to_be_visible()


def test_a_thousand_pipelines_are_shown_a_hundred_at_a_time(browser: Browser) -> None:
    fake = FakePrefect(
        settings=published_of(
            pipelines={f"p-{n:04}": {"owner": f"team-{n % 3}"} for n in range(250)}
        )
    )
    fake.heartbeat(ago(seconds=1))
    for number in range(250):
        fake.run(f"p-{number:04}", "Failed" if number == 249 else "Completed", ago(minutes=5))
    with served(fake) as pages, browser.new_context(base_url=pages.url) as context:
        tab = context.new_page()
        opened(tab, "/")
        expect(tab.locator("#pipelines tbody tr")).to_have_count(100)
        expect(tab.locator("#pipelines tbody th a").first).to_have_text("p-0249")
        tab.locator("#page-3").click()
        expect(tab.locator("#pipelines tbody tr")).to_have_count(50)
        tab.goto("/?owner=team-0&page=99")
        expect(tab.locator("#pipelines tbody tr")).to_have_count(84)


def _until_complete(client: httpx.Client) -> Any:  # noqa: ANN401 - JSON
    for _ in range(400):
        answer = client.get("/api/overview")
        if answer.is_success and answer.json()["complete"]:
            return answer.json()
        client.get("/healthz")
    raise AssertionError("it is never complete")


def test_the_data_is_also_there_for_programs(pages: Served) -> None:
    with httpx.Client(base_url=pages.url, trust_env=False) as client:
        document = _until_complete(client)
    assert document["pipelines"][1]["pipeline"] == "orders"
    assert document["problem"] is None
    assert document["old"] is False


@pytest.mark.parametrize("path", [*PAGES, *(f"/part{p}" for p in PAGES), "/static/page.js"])
def test_every_answer_allows_nothing_but_the_pages_own_files(pages: Served, path: str) -> None:
    answer = httpx.get(pages.url + path, trust_env=False)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    sources = {
        s for rule in HEADERS["Content-Security-Policy"].split(";") for s in rule.split()[1:]
    }
    assert sources == {"'none'", "'self'"}
    assert SECRET not in answer.text
    assert " style=" not in answer.text
    assert " onclick" not in answer.text


def test_a_part_that_has_not_changed_is_not_sent_again(prefect: FakePrefect) -> None:
    # One look: a second between two requests would make the part a new one.
    one_look = served(prefect, every=3600.0)
    with one_look as pages, httpx.Client(base_url=pages.url, trust_env=False) as client:
        _until_complete(client)
        first = client.get("/part/")
        version = first.headers["ETag"]
        again = client.get("/part/", headers={"If-None-Match": version})
        other = client.get("/part/?owner=web", headers={"If-None-Match": version})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_what_is_not_there_is_said(tab: Page, pages: Served) -> None:
    opened(tab, "/")
    assert httpx.get(f"{pages.url}/pipelines/nothing", trust_env=False).status_code == 404
    tab.goto("/pipelines/nothing")
    expect(tab.get_by_role("heading", name="No such pipeline")).to_be_visible()


def test_a_page_asked_for_under_another_name_is_refused(pages: Served) -> None:
    answer = httpx.get(pages.url, headers={"Host": "rebound.example"}, trust_env=False)
    assert answer.status_code == 400


def test_the_drill_of_the_fixture_is_the_whole_one(prefect: FakePrefect) -> None:
    names = {event["event"] for event in prefect.events}
    assert {phase.request for phase in DrillPhase} <= names
