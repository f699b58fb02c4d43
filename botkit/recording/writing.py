"""The file of a bot that plays a recorded chat again.

Theory of operation. A bot is quicker than a person, so the time between two lines is no promise:
only the order is kept, and a step waits for each thing that came. It waits at most for three times
what was seen, rounded up, and no less than ``LEAST``. What was seen counts from the latest beat;
an agent who speaks by the clock and not in answer is met by counting, once, from the latest thing
that came before, for a bot does not take the time that a person took to think.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from botkit.masking import without_password
from botkit.recording.beats import Beat, Recording
from botkit.recording.masking import matcher_for

LEAST = 10.0
FACTOR = 3.0
SPARE = 5.0
ROUND = (10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600)
"""Seconds that waits are rounded up to; what is longer becomes whole hours."""
LONGEST = 86_400
LEAST_CHAT = 300.0
MAX_TEXT = 60_000
"""Characters of what a step says; the language takes no more than a few more."""
NOT_IN_NAMES = re.compile(r"[^\w .-]+")


def bot_text(recording: Recording) -> str:
    """Write the file."""
    lines = [*recording.about, *(f"Left out: {what}" for what in recording.left_out)]
    head = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    document = yaml.dump(
        bot_of(recording),
        Dumper=BotDumper,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
        default_flow_style=False,
    )
    return head + str(document)


def place_of(url: str) -> str:
    """Name a server, without the password and the query that a URL may hold."""
    return re.split(r"[?#]", without_password(url), maxsplit=1)[0]


def bot_name(text: str) -> str:
    """Make a name that a bot may have of a text, such as the name of a file."""
    name = NOT_IN_NAMES.sub("-", text).lstrip(" .-")[:100]
    return name or "recorded"


class BotDumper(yaml.SafeDumper):
    """Writes lists and mappings as people do: indented, and without anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent the items of lists, too."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write what is said twice twice."""
        return True


def bot_of(recording: Recording) -> dict[str, Any]:
    """Put a recording into the form of a bot file."""
    steps: list[Any] = list(steps_of(recording))
    if not any(asserts(step) for step in steps):
        # A bot that asserts nothing proves nothing: that the goodbye was heard is the least.
        steps += ["leave", {"wait_for": "ended", "within": "30s"}]
    pressed = any(beat.is_press for beat in recording.beats)
    connect = {
        "connector": recording.connector if pressed else "",
        "service": escaped(recording.service),
        "nickname": escaped(recording.nickname),
        "userdata": {key: escaped(value) for key, value in recording.userdata.items()},
    }
    limit = max(LEAST_CHAT, FACTOR * (recording.ended - recording.began))
    return {
        "botkit": 1,
        "bot": bot_name(recording.name),
        **some("connect", some_of(connect)),
        **some("simulator", {"agents": recording.script} if recording.script else {}),
        "limits": {"whole_chat": rounded(limit)},
        "steps": steps,
    }


def steps_of(recording: Recording) -> Iterator[dict[str, Any]]:
    """Make a step of each beat."""
    known = [recording.nickname, *recording.userdata.values()]
    beat_before = came_before = recording.began
    for beat in recording.beats:
        step = {beat.verb: value_of(beat, known, recording.agents)}
        if beat.awaited:
            seen = max(FACTOR * (beat.at - beat_before), beat.at - came_before + SPARE)
            step["within"] = rounded(max(LEAST, seen))
            came_before = beat.at
        else:
            known += texts_in(beat.value)
        beat_before = beat.at
        yield step


def value_of(beat: Beat, known: list[str], agents: frozenset[str]) -> Any:
    """Say what stands behind a verb."""
    if beat.marked:
        return {"contains": escaped(beat.marked)}
    if beat.verb == "expect":
        return matcher_for(beat.value, known=known, agents=agents)
    if beat.verb == "expect_userdata":
        return {key: exactly(matcher_for(v, known=known)) for key, v in beat.value.items()}
    if isinstance(beat.value, Mapping):
        return {key: escaped(value) for key, value in beat.value.items()}
    # Only the text of a line is a template; names of events and files are what they are.
    return beat.value if beat.verb in ("wait_for", "send_file") else escaped(beat.value)


def exactly(matcher: Any) -> Any:
    """Hold a value to its whole length, which is no line of a person."""
    pattern = matcher.get("matches")
    return {"matches": f"^{pattern}"} if pattern and pattern != r"\S" else matcher


def texts_in(value: Any) -> list[str]:
    """Give the texts of what the customer did."""
    return [str(v) for v in value.values()] if isinstance(value, Mapping) else [str(value)]


def asserts(step: Any) -> bool:
    """Tell whether a step makes the bot prove something."""
    return isinstance(step, dict) and any(k == "wait_for" or k.startswith("expect") for k in step)


def escaped(text: str) -> str:
    """Let ``${`` be text."""
    return text[:MAX_TEXT].replace("${", "$${")


def some(key: str, value: Any) -> dict[str, Any]:
    """Leave a key out that has nothing to say."""
    return {key: value} if value else {}


def some_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave those out that have nothing to say."""
    return {key: value for key, value in values.items() if value}


def rounded(seconds: float) -> str:
    """Round a time up to one that a person would write."""
    whole = next((r for r in ROUND if r >= seconds), math.ceil(seconds / 3600) * 3600)
    whole = min(whole, LONGEST)
    for size, unit in ((3600, "h"), (60, "m")):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"
