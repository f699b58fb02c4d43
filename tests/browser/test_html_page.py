"""The HTML page as a browser shows it, to people with a mouse, a keyboard and a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botkit.chat import PartyKind, Row
from botkit.report.html_page import page
from botkit.results import Frame, JourneyResult, Reason, RunResult, StepResult, Verdict

WIDTHS = {"desktop": 1280, "phone": 390}

STEPS = (
    ("wait_for", "wait for an agent", "an agent joins", 0.1, 1.9, "[agent_connected] Grace"),
    (
        "expect",
        'expect "how can I help"',
        'a message containing "how can I help"',
        2.0,
        1.2,
        "Grace: Hello Ada, how can I help?",
    ),
    ("say", "say: Hello, please close order A-4711", "", 3.2, 0.8, ""),
    ("set_userdata", "set user data CoBrowseSessionId", "", 4.0, 0.1, ""),
    ("expect", "expect a case number", 'a message that matches "CAS-[0-9]{6}"', 4.1, 6.0, ""),
)

ROWS = (
    (2.0, "Grace", "agent_connected", "", PartyKind.AGENT),
    (3.1, "Grace", "message", "Hello Ada, this is Grace, how can I help?", PartyKind.AGENT),
    (3.9, "Ada", "message", "Hello, please close order A-4711", PartyKind.CUSTOMER),
    (5.0, "Grace", "message", "One moment please, I am looking it up.", PartyKind.AGENT),
    (8.4, "Grace", "message", "Your case number is CAS-12", PartyKind.AGENT),
)

MISSES = (
    'Grace: One moment please, I am looking it up. - "CAS-[0-9]{6}" is nowhere in it',
    'Grace: Your case number is CAS-12 - "CAS-[0-9]{6}" is nowhere in it',
)

HOSTILE = (
    "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">",
    "\u202eevil\u202c \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd, how are you?",
    "x" * 100_000,
    "word " * 20_000,
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467" * 30,
    " ".join(f"[button {number}]" for number in range(40)),
    "</style><style>body { display: none }</style>",
)
"""What a chat may say to break a page."""


def step(verdict: Verdict, number: int) -> StepResult:
    verb, text, expected, started, duration, took = STEPS[number]
    return StepResult(
        number=number + 1,
        path=f"steps[{number}]",
        verb=verb,
        text=text,
        file="bots/support.yaml",
        line=7 + 2 * number,
        verdict=verdict,
        reason=Reason.OK if verdict is Verdict.PASSED else Reason.TIMEOUT,
        started=started,
        duration=duration,
        expected=expected,
        took=took or None,
        seq=number + 1 if took else None,
        received=() if verdict is Verdict.PASSED else MISSES,
    )


def journey(verdict: Verdict = Verdict.FAILED, name: str = "support[gold-en]") -> JourneyResult:
    steps = [step(Verdict.PASSED, number) for number in range(4)] + [step(verdict, 4)]
    bad = verdict is not Verdict.PASSED
    return JourneyResult(
        run_id="run1",
        journey_id="run1-1",
        bot="support",
        name=name,
        title="Every customer gets a case number",
        file="bots/support.yaml",
        verdict=verdict,
        reason=Reason.TIMEOUT if bad else Reason.OK,
        message="no such message within 6 s" if bad else "",
        step=steps[-1] if bad else None,
        started_utc=1_767_225_600.0,
        began=100.0,
        duration=10.4,
        steps=tuple(steps),
        transcript=tuple(
            Row(at=100 + at, who=who, kind=kind, text=text, party=party, seq=seq)
            for seq, (at, who, kind, text, party) in enumerate(ROWS, 1)
        ),
        connector="gms-cometd",
        server="https://chat.example.com/genesys/cometd",
        session_id="0001VaG4",
        asserted=3,
        frames=tuple(
            Frame(
                at=row[0],
                direction="received",
                what="200",
                text=f'[{{"channel":"/service/chatV2/support","data":{{"text":"{row[3]}"}}}}]',
            )
            for row in ROWS
        ),
    )


def run_of(*journeys: JourneyResult) -> RunResult:
    return RunResult(run_id="run1", started_utc=1_767_225_600.0, duration=12.5, journeys=journeys)


EVERY = run_of(*(journey(verdict, f"support[{verdict.value}]") for verdict in Verdict))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[RunResult], Path]:
    def write(run: RunResult) -> Path:
        file = tmp_path / "page.html"
        file.write_text(page(run), "utf-8")
        return file

    return write


def unfold(tab: Any) -> None:
    tab.ask("document.querySelectorAll('details').forEach(fold => { fold.open = true })")


def widest(tab: Any) -> int:
    """Give how far the page reaches to the right."""
    pixels: int = tab.ask("document.documentElement.scrollWidth")
    return pixels


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_the_page_fits_and_nobody_complains(
    device: str, dark: bool, tab: Any, written: Any, pictures: Any
) -> None:
    file = written(EVERY)
    tab.open(file, width=WIDTHS[device], dark=dark)
    tab.picture(pictures(f"{device}-{'dark' if dark else 'light'}"))
    unfold(tab)
    tab.picture(pictures(f"{device}-{'dark' if dark else 'light'}-open"), whole=True)
    assert widest(tab) <= WIDTHS[device]
    assert tab.requests == [file.as_uri()]
    assert tab.complaints == []
    # The policy let its own style sheet in.
    assert tab.ask("getComputedStyle(document.querySelector('li')).display") == "grid"


@pytest.mark.parametrize("device", WIDTHS)
def test_what_a_chat_says_does_not_break_the_page(
    device: str, tab: Any, written: Any, pictures: Any
) -> None:
    rows = tuple(
        Row(at=101.0 + i, who=text[:40], kind="message", text=text, party=PartyKind.AGENT, seq=i)
        for i, text in enumerate(HOSTILE)
    )
    # What a frame holds is bounded by whoever kept it; here it is not.
    frames = tuple(Frame(at=1.0, direction="sent", what=text, text=text) for text in HOSTILE)
    steps = tuple(
        replace(step(Verdict.FAILED, 4), text=text, expected=text, received=(text,))
        for text in HOSTILE
    )
    hostile = replace(
        journey(name=HOSTILE[2]),
        title=HOSTILE[3],
        transcript=rows,
        frames=frames,
        steps=steps,
        step=steps[0],
        notes=HOSTILE,
    )
    tab.open(written(run_of(hostile, journey())), width=WIDTHS[device])
    unfold(tab)
    tab.picture(pictures(f"{device}-hostile"), whole=True)
    assert widest(tab) <= WIDTHS[device]
    assert tab.complaints == []
    assert tab.ask("document.title").startswith("botkit")
    assert tab.ask("document.querySelectorAll('script, img').length") == 0
    assert tab.ask("getComputedStyle(document.body).display") == "block"


CONTRASTS = """
(() => {
  const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b)
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number)
  const ground = e => {
    const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor)
    return a ? [r, g, b] : ground(e.parentElement)
  }
  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  return [...document.querySelectorAll('body *')].filter(e => own(e) && e.offsetHeight).map(e => {
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(ground(e))]
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.textContent.trim()]
  })
})()
"""
"""The contrast of each text with what it stands on, as WCAG 2.1 computes it, with the text."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_told_from_its_ground(dark: bool, tab: Any, written: Any) -> None:
    tab.open(written(EVERY), dark=dark)
    unfold(tab)
    contrasts = tab.ask(CONTRASTS)
    assert len(contrasts) > 100
    assert [text for contrast, text in contrasts if contrast < 4.5] == []


def focused(tab: Any) -> str:
    """Say what has the focus."""
    said: str = tab.ask("(e => e.id || e.textContent.trim().split(' ')[0])(document.activeElement)")
    return said


def test_the_keyboard_reaches_filters_and_folds(tab: Any, written: Any, pictures: Any) -> None:
    tab.open(written(run_of(journey(Verdict.PASSED), journey())))
    tab.press("Tab")
    assert focused(tab) == "show-all"
    ring = "getComputedStyle(document.activeElement.closest('label, summary')).outlineStyle"
    assert tab.ask(ring) == "solid"
    tab.press("Tab")
    assert focused(tab) == "Timeline"
    assert tab.ask(ring) == "solid"
    tab.picture(pictures("focus"))
    is_open = "document.activeElement.parentElement.open"
    for key in ("Enter", " "):
        before = tab.ask(is_open)
        tab.press(key)
        assert tab.ask(is_open) is not before
    for name in ("Steps", "Wire", "Timeline"):
        tab.press("Tab")
        assert focused(tab) == name


def test_the_arrow_keys_filter_by_verdict(tab: Any, written: Any) -> None:
    tab.open(written(EVERY))
    tab.press("Tab")
    # A journey that is folded away has no box.
    seen = "[...document.querySelectorAll('article')].filter(a => a.offsetHeight).length"
    assert tab.ask(seen) == len(Verdict)
    for verdict in Verdict:
        tab.press("ArrowRight")
        assert focused(tab) == f"show-{verdict.value}"
        assert tab.ask(seen) == 1
        shown = "[...document.querySelectorAll('article')].find(a => a.offsetHeight).className"
        assert tab.ask(shown) == verdict.value


def test_a_line_stands_beside_its_step_on_a_desktop_and_under_it_on_a_phone(
    tab: Any, written: Any
) -> None:
    file = written(run_of(journey()))
    top = "[...document.querySelector('li:has(.bubble)').children].map(c => c.offsetTop)"
    for width, beside in ((1280, True), (390, False)):
        tab.open(file, width=width)
        unfold(tab)
        said, bubbles = tab.ask(top)
        assert (said == bubbles) is beside


def test_the_letters_of_the_timeline_keep_their_size_and_their_place(
    tab: Any, written: Any
) -> None:
    file = written(run_of(journey()))
    for width in WIDTHS.values():
        tab.open(file, width=width)
        boxes = tab.ask(
            "(s => [...s.querySelectorAll('text')].map(t => [t.getBoundingClientRect(),"
            " s.getBoundingClientRect()].map(b => [b.left, b.right, b.height])))"
            "(document.querySelector('svg'))"
        )
        for (left, right, height), (first, last, _) in boxes:
            assert first - 1 <= left < right <= last + 1
            assert 10 <= height <= 20
