"""The page in a real browser: it draws, it loads nothing, and nothing in it is a script but its own."""

import json
import os
import shutil
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from agenthpo.budget import Budget
from agenthpo.experience.meta import StudyMeta
from agenthpo.pareto import Goal
from agenthpo.reporting.exchanges import read_exchanges
from agenthpo.reporting.gather import evidence_of
from agenthpo.reporting.making import report
from agenthpo.reporting.page import MOST_BYTES
from agenthpo.reporting.serving import Server
from browsing import chromium
from report_studies import EVIL, SPACE, make_study

PLOTS = ("course", "curves", "calibration", "importance", "slices", "parallel", "contour")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


class Seen:
    """A page that was opened, and what it did."""

    def __init__(self, page):
        self.page, self.said, self.asked = page, [], []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def text(self, selector):
        return self.page.inner_text(selector)

    def counts(self, selector):
        return self.page.locator(selector).count()


@pytest.fixture
def opened(browser, tmp_path):
    contexts = []

    def opens(html, width=1280, scheme="light"):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        seen = Seen(context.new_page())
        seen.page.goto(file.as_uri())
        seen.page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        return seen

    yield opens
    for context in contexts:
        context.close()


def problems(seen):
    """What the page said or asked for that it should not have, and what axe-core finds serious."""
    from axe_playwright_python.sync_playwright import Axe

    asked = [url for url in seen.asked if not url.startswith(("file:", "data:", "blob:"))]
    found = Axe().run(seen.page)
    serious = [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    return seen.said + asked + serious


@pytest.fixture(scope="module")
def thirty(tmp_path_factory):
    folder = make_study(tmp_path_factory.mktemp("study") / "toy", 30)
    entry = {"time": 1.0, "model": "m", "form": "proposal", "reply": "{}", "problem": "no lr",
             "messages": [{"role": "system", "text": EVIL[0]}]}  # fmt: skip
    Path(folder, "llm.jsonl").write_text(json.dumps(entry) + "\nbroken\n")
    return folder


@pytest.fixture(scope="module")
def html(thirty):
    return report(thirty)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_section_renders_and_every_plot_draws(html, opened, width, scheme):
    seen = opened(html, width, scheme)
    assert problems(seen) == []
    assert seen.counts("section") == 8
    for name in PLOTS:
        assert seen.counts(f"#plot-{name}[data-drawn] svg.main-svg") >= 1, name
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    seen.page.set_viewport_size({"width": 1600, "height": 900})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 1600
    assert "Not certified" in seen.text("#sure") and "acc" in seen.text("h1")


def test_filters_pairs_curves_links_and_copying_work(html, opened):
    seen = opened(html)
    page = seen.page
    page.select_option("#filter-source", "creator")
    assert "10 of 30 trials" in seen.text("#filter-count")
    assert page.locator("#trials > .trial:visible").count() == 10
    page.fill("#filter-text", "no trial says this")
    assert "0 of 30" in seen.text("#filter-count")
    page.select_option("#filter-source", "")
    page.fill("#filter-text", "")
    page.select_option("#one", "1")
    page.select_option("#another", "2")
    assert "trial 1, creator" in seen.text("#pair") and "trial 2, engine" in seen.text("#pair")
    page.fill("#curve-trials", "1, 2, 5, 99")
    assert seen.counts("#plot-curves .scatterlayer .trace") == 3
    page.locator("#story a").first.click()
    assert seen.counts("details.trial[open]:target") == 1
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("button[data-copies='best-json']")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert set(json.loads(copied)) >= {"lr", "width", "opt"}
    page.click("#exchanges > summary")
    page.wait_for_selector(".exchange", state="attached")
    assert EVIL[0] in page.text_content(".exchange")
    assert "no lr" in seen.text("#account")
    assert seen.said == [] and page.title() != "owned"


def test_the_keyboard_reaches_what_can_be_used(html, opened):
    page = opened(html).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    summary = page.locator("details.trial > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details.trial').open")


def test_on_paper_everything_is_read_dark_on_light_and_nothing_is_cut(html, opened):
    seen = opened(html, 1280, "dark")
    page = seen.page
    closed = page.locator("details:not([open])").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.trial:not([open])").count() == 0 < closed
    wide = "[...document.querySelectorAll('.plot .main-svg')].map((s) => s.getBoundingClientRect().right)"
    assert (
        0 < max(page.evaluate(wide)) <= page.evaluate("document.body.getBoundingClientRect().right")
    )
    shade = "getComputedStyle(document.querySelector('#plot-course .xtick text')).fill"
    assert page.evaluate(shade) == "rgb(0, 0, 0)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == closed
    assert page.evaluate(shade) != "rgb(0, 0, 0)"
    assert max(page.evaluate(wide)) > 1000  # the screen is its measure again
    assert b"%PDF" in page.pdf()[:8] and seen.said == []


@pytest.mark.parametrize(("trials", "failing"), [(0, False), (1, False), (9, True)])
def test_studies_with_little_in_them(trials, failing, opened):
    folder = make_study("toy", trials, failing=lambda i: failing)
    assert problems(opened(report(folder))) == []


def test_what_comes_from_outside_is_never_run(opened):
    folder = make_study("toy", 15, texts=EVIL, failing=lambda i: i % 2 == 1)
    seen = opened(report(folder))
    page = seen.page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    mark = page.locator("#plot-course .points path").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("#plot-course .hoverlayer .hovertext", state="attached")
    assert page.title() == "toy: acc"
    assert seen.counts("#trials img, #trials script, .hoverlayer a") == 0
    assert "<script>document.title" in page.text_content("#trials")
    assert problems(seen) == []


def test_the_front_of_several_objectives_is_drawn_and_told(opened):
    meta = StudyMeta(
        id="1", name="toy", metric="acc", direction="maximize", proposer="hybrid", trials=20,
        goals=(Goal("ms", "minimize"), Goal("mb", "minimize")), budget=Budget(trials=20),
    )  # fmt: skip
    others = lambda params: {"ms": params["width"] / 10, "mb": 5.0 + params["epochs"]}  # noqa: E731
    folder = make_study("toy", 20, meta=meta, others=others)
    answer = evidence_of(folder).answer
    seen = opened(report(folder))
    assert problems(seen) == []
    assert seen.counts("#plot-front[data-drawn] .scatterlayer .trace") == 2
    assert "maximize acc and minimize ms and minimize mb" in seen.text("body")
    seen.page.locator("summary", has_text="The front as a table").click()
    heads = seen.page.locator("details", has=seen.page.locator("summary", has_text="The front as"))
    assert heads.locator("tbody tr").count() == len(answer.front) > 1
    assert f"Pareto front: trials {answer.front[0]}, " in report(folder, "md")


def test_names_that_want_to_be_markup_are_names(opened):
    space = {**SPACE, "opt": {"type": "categorical", "values": ["adam", *EVIL]}}
    space.pop("momentum")
    metric, name = f"acc{EVIL[0]}", f"toy {EVIL[2]} {EVIL[4]}"
    meta = StudyMeta(
        id="1", name=name, metric=metric, direction="maximize", model=EVIL[1], test_metric=EVIL[3],
        proposer="hybrid", version=EVIL[0], trials=9, budget=Budget(trials=9),
    )  # fmt: skip

    def named(params, number):
        opt = EVIL[number % 4] if number else "adam"
        return {"lr": params["lr"], "width": params["width"], "opt": opt, "epochs": 5}

    folder = make_study("<b>toy {{ 7*7 }}", 9, meta=meta, space=space, named=named)
    seen = opened(report(folder))
    assert problems(seen) == []
    assert "owned" not in seen.page.title().replace(EVIL[0], "").replace(EVIL[2], "")
    assert seen.counts("main img, main b > script, svg a") == 0
    assert EVIL[0] in seen.text("h1, main") and "<b>toy {{ 7*7 }}" in seen.page.title()
    assert "agenthpo audit '<b>toy {{ 7*7 }}' --trials 10" in seen.text("#audit")


def test_a_policy_keeps_what_got_through_from_running(html, opened):
    html = html.replace("</main>", "<script>document.title='owned'</script></main>")
    seen = opened(html)
    assert seen.page.title() == "toy: acc"
    assert any("Content Security Policy" in line for line in seen.said)


def test_a_thousand_trials_with_long_reasons_fit(tmp_path, opened):
    folder = make_study(tmp_path / "large", 1000, long=10_000)
    entry = {"time": 1.0, "model": "m", "form": "proposal", "reply": os.urandom(20_000).hex()}
    lines = [json.dumps({**entry, "messages": [], "reply": os.urandom(9000).hex()})] * 30
    lines += [json.dumps({**entry, "reply": os.urandom(9000).hex()}) for _ in range(300)]
    Path(folder, "llm.jsonl").write_text("\n".join(lines))
    html = report(folder)
    assert len(html.encode()) < MOST_BYTES
    seen = opened(html)
    assert "1000 of 1000 trials" in seen.text("#filter-count") and seen.said == []
    assert "earlier ones are in llm.jsonl only" in html


def test_studies_over_one_another_are_drawn(tmp_path, opened):
    from agenthpo.reporting.comparing import compared
    from agenthpo.reporting.page import comparison_page

    folders = [make_study(tmp_path / f"s{i}", 6 + i) for i in range(3)]
    seen = opened(comparison_page(compared(folders, each=True)))
    assert problems(seen) == [] and seen.counts("#plot-compare .scatterlayer .trace") == 3


def test_it_is_served_while_the_study_grows(browser, tmp_path):
    folder = make_study(tmp_path / "toy", 3)
    server = Server(folder, lambda sign: report(folder, watch=sign))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.locator(".trial").count() == 3
        page.fill("#filter-text", "lr")
        page.select_option("#one", "2")
        page.evaluate("document.querySelector('#trial-0').open = true")
        shutil.rmtree(folder)
        make_study(folder, 5)
        page.wait_for_selector("#trial-4", state="attached", timeout=60_000)
        # who reads on finds the page as it was left
        assert page.input_value("#filter-text") == "lr" and page.input_value("#one") == "2"
        assert page.evaluate("document.querySelector('#trial-0').open")
        context.close()
        base = server.url.rsplit("/", 2)[0]
        for url, headers in ((f"{base}/", {}), (server.url, {"Host": "evil.example:80"})):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(url, headers=headers))
            refused.value.close()
            assert refused.value.code in (403, 404)
    finally:
        server.close()
        thread.join()


def test_without_plotly_the_fix_is_said(thirty, monkeypatch):
    import sys

    from agenthpo.errors import AgentHPOError
    from agenthpo.reporting import page

    page._plotly.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(AgentHPOError, match=r"pip install 'agenthpo\[report\]'"):
        report(thirty)


def test_lines_of_exchanges_that_cannot_be_read_are_left_out(thirty):
    found = read_exchanges(thirty)
    assert found.count == 1 and found.problems == {"invalid: no lr": 1} and found.digest
