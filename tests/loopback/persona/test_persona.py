"""Whole journeys with a persona, whose model is asked over sockets."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit.results import JourneyResult, Reason, Verdict
from botkit.simulator.http import Reply
from botkit.testing import play

KEY = "sk-top-s3cret"
AGENTS = r"""
botkit-agents: 1
agents:
  Grace:
    - say: Hello, this is Grace. What is your order number?
    - expect: {matches: '(?P<order>[A-Z]-\d+)'}
    - say: Order ${order} is closed, and your case number is CAS-000123
    - wait_for: ended
"""
BOT = r"""
botkit: 1
bot: close-an-order
steps:
  - wait_for: agent
  - call: persona
    with: {persona: Ada, goal: Have order A-1234 closed, WITH}
    as: stopped
    within: 20s
  - note: it stopped for ${stopped}
  - expect: {matches: 'case number is (?P<case_no>CAS-\d{6})'}
"""

Talk = Callable[..., Any]
Replies = dict[str, Callable[..., Reply]]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    """Play a bot whose persona has these settings besides."""

    async def talk(*, agents: str = AGENTS, bot: str = BOT, **settings: str) -> JourneyResult:
        settings = {"settle": "50ms", "record": str(tmp_path / "recording.jsonl"), **settings}
        pairs = ", ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items())
        (tmp_path / "bot.yaml").write_text(bot.replace("WITH", pairs))
        (tmp_path / "agents.yaml").write_text(agents)
        (result,) = await play(tmp_path / "bot.yaml", agents=tmp_path / "agents.yaml")
        return result

    return talk


def lines_of(result: JourneyResult) -> list[str]:
    return [str(row) for row in result.transcript if row.kind == "message"]


def turns_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# --- a conversation ------------------------------------------------------------------------------


async def test_a_persona_holds_the_chat_and_steps_decide(
    model: Any, talk: Talk, tmp_path: Path
) -> None:
    model.says("It is A-1234,\n dear.", "Thank you, goodbye! [END] ignored")
    result = await talk()
    assert result.verdict is Verdict.PASSED, result.message
    assert lines_of(result) == [
        "Grace: Hello, this is Grace. What is your order number?",
        "Customer: It is A-1234, dear.",
        "Grace: Order A-1234 is closed, and your case number is CAS-000123",
        "Customer: Thank you, goodbye!",
    ]
    assert result.notes == (
        f"persona: recorded in {tmp_path / 'recording.jsonl'}",
        "persona: stopped (done) after 2 turns, 240 tokens",
        "it stopped for done",
    )
    assert result.asserted == 2


async def test_what_the_model_is_asked(model: Any, talk: Talk) -> None:
    model.says("It is A-1234.")
    await talk(temperature="0", seed="7")
    assert [request.path for request in model.asked] == ["/v1/chat/completions"] * 2
    assert model.asked[0].method == "POST"
    assert model.asked[0].headers["authorization"] == f"Bearer {KEY}"
    first, second = model.bodies
    assert first.keys() == {"model", "messages", "temperature", "seed"}
    assert (first["model"], first["temperature"], first["seed"]) == ("test-model", 0.0, 7)
    system = first["messages"][0]
    assert system["role"] == "system"
    assert "Ada" in system["content"]
    assert "Have order A-1234 closed" in system["content"]
    assert second["messages"] == [
        system,
        {"role": "user", "content": "Hello, this is Grace. What is your order number?"},
        {"role": "assistant", "content": "It is A-1234."},
        {
            "role": "user",
            "content": "Order A-1234 is closed, and your case number is CAS-000123",
        },
    ]


async def test_what_was_promised_and_did_not_come_is_failed(model: Any, talk: Talk) -> None:
    model.says("I do not know it.")
    bot = BOT + "    within: 300ms\n"
    result = await talk(bot=bot, reply_within="200ms")
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.EXPECTATION)
    assert "it stopped for no_reply" in result.notes


async def test_guards_watch_meanwhile(model: Any, talk: Talk) -> None:
    model.says("It is A-1234.")
    guarded = BOT.replace("steps:", "never:\n  - contains: is closed\nsteps:")
    result = await talk(bot=guarded)
    assert (result.verdict, result.reason) == (Verdict.FAILED, Reason.GUARD)


async def test_a_persona_alone_proves_nothing(model: Any, talk: Talk) -> None:
    model.says("It is A-1234.")
    bare = BOT.partition("  - note")[0].replace("  - wait_for: agent\n", "")
    result = await talk(bot=bare)
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.ASSERTED_NOTHING)


async def test_the_agent_ends_the_chat(model: Any, talk: Talk) -> None:
    model.says("It is A-1234.")
    gone = AGENTS.replace("wait_for: ended", "leave")
    result = await talk(agents=gone, settle="300ms")
    assert result.verdict is Verdict.PASSED, result.message
    assert "it stopped for ended" in result.notes


async def test_the_customer_begins(model: Any, talk: Talk) -> None:
    model.says("Hello?", "It is A-1234.")
    patient = AGENTS.replace("    - say: Hello", "    - expect: hello\n    - say: Hello")
    result = await talk(agents=patient, begins="customer")
    assert result.verdict is Verdict.PASSED, result.message
    assert lines_of(result)[:2] == [
        "Customer: Hello?",
        "Grace: Hello, this is Grace. What is your order number?",
    ]
    first = model.bodies[0]["messages"]
    assert first[1:] == [{"role": "user", "content": "(The chat is open.)"}]


async def test_what_the_script_said_is_known_and_waits_for_its_answer(
    model: Any, talk: Talk
) -> None:
    patient = AGENTS.replace("    - say: Hello", "    - expect: hello\n    - say: Hello")
    bot = BOT.replace("  - call", "  - say: Hello there\n  - call")
    model.says("It is A-1234.")
    result = await talk(agents=patient, bot=bot)
    assert result.verdict is Verdict.PASSED, result.message
    assert [message["role"] for message in model.bodies[0]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


async def test_two_personas_share_a_recording(
    model: Any, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = f"""
  - call: persona
    with: {{persona: Ada, goal: Say thanks, turns: "1", settle: 50ms, begins: customer,
            record: {json.dumps(str(tmp_path / "recording.jsonl"))}}}
"""
    model.says("It is A-1234.", "Goodbye [END]", "Thanks")
    first = await talk(bot=BOT + again)
    assert first.verdict is Verdict.PASSED, first.message
    turns = turns_of(tmp_path / "recording.jsonl")
    assert [turn["turn"] for turn in turns] == [1, 2, 1]
    assert len({turn["part"] for turn in turns}) == 2
    monkeypatch.setenv("BOTKIT_LLM_REPLAY", str(tmp_path / "recording.jsonl"))
    second = await talk(bot=BOT + again)
    assert second.verdict is Verdict.PASSED, second.message
    assert lines_of(second) == lines_of(first)
    assert len(model.asked) == 3


async def test_reactions_speak_meanwhile_and_the_model_knows(model: Any, talk: Talk) -> None:
    reaction = "whenever:\n  - message: {contains: is closed}\n    do: [say: How nice]\n"
    model.says("It is A-1234.")
    result = await talk(bot=BOT.replace("steps:", f"{reaction}steps:"))
    assert result.verdict is Verdict.PASSED, result.message
    said = [m["content"] for m in model.bodies[1]["messages"] if m["role"] == "assistant"]
    assert said == ["It is A-1234.", "How nice"]


# --- caps ----------------------------------------------------------------------------------------

ENDLESS = """
botkit-agents: 1
agents:
  Grace:
    - say: Yes?
    - repeat:
        times: 9
        do:
          - expect: {matches: '.'}
          - say: your case number is CAS-000123, anything else?
    - wait_for: ended
"""


@pytest.mark.parametrize(
    ("caps", "turns", "why"),
    [
        ({"turns": "3"}, 3, "turns"),
        ({"tokens": "200"}, 2, "tokens"),
        ({"cost": "0.00025", "price_in": "1", "price_out": "2.5"}, 2, "cost"),
    ],
)
async def test_a_cap_is_no_failure(
    model: Any, talk: Talk, caps: dict[str, str], turns: int, why: str
) -> None:
    model.says(*["And then?"] * 9)
    result = await talk(agents=ENDLESS, **caps)
    assert result.verdict is Verdict.PASSED, result.message
    assert len(model.asked) == turns
    assert f"it stopped for {why}" in result.notes
    cost = ", cost 0.0003" if why == "cost" else ""
    note = f"persona: stopped ({why}) after {turns} turns, {turns * 120} tokens{cost}"
    assert note in result.notes


async def test_a_long_line_is_cut(model: Any, talk: Talk) -> None:
    model.says("It is A-1234 and I have a very long story to tell about it")
    result = await talk(characters="24")
    assert "Customer: It is A-1234 and I have…" in lines_of(result)
    assert "persona: turn 1 was cut to 24 characters" in result.notes


# --- failures of the model -----------------------------------------------------------------------


async def broken(talk: Talk, **settings: str) -> str:
    """Play, and give the message of the error that it must be."""
    result: JourneyResult = await talk(**settings)
    assert (result.verdict, result.reason) == (Verdict.ERROR, Reason.ACTION), result
    assert KEY not in repr(result)
    assert result.left
    return result.message


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, None, "the endpoint answered 400 some_error: it does not accept the request"),
        (401, "invalid_api_key", "401 invalid_api_key: it does not accept the key: set key"),
        (401, KEY, "401 some_error: it does not accept the key"),
        (403, None, "the key may not use this model"),
        (404, "model_not_found", "404 model_not_found: there is nothing at this URL, or no such"),
        (429, "insufficient_quota", "429 insufficient_quota: it is asked too often, or the quota"),
        (307, None, "the endpoint answered 307 some_error: is its URL right?"),
    ],
)
async def test_a_refusal_is_an_error_at_once(
    model: Any, talk: Talk, replies: Replies, status: int, code: str | None, told: str
) -> None:
    model.queued = [replies["failure"](status, code=code)]
    message = await broken(talk)
    assert f"POST {model.url}/chat/completions: " in message
    assert told in message
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(body=b"<html>"), "something that is not JSON: is its URL right?"),
        (Reply(body=b"[" * 100_000), "something that is not JSON"),
        (Reply(body=b"[]"), "no chat completion"),
        (Reply(body=b'{"choices": []}'), "no chat completion"),
        (Reply(body=b'{"error": {"code": "overloaded"}}'), "no chat completion (overloaded): does"),
        (Reply(body=b'{"choices": [{"message": 3}]}'), "the model wrote nothing; try again"),
        (Reply(body=b"x" * 1_000_001), "reply of 1000001 bytes; 1000000 are allowed"),
    ],
)
async def test_nonsense_is_an_error(model: Any, talk: Talk, reply: Reply, told: str) -> None:
    model.queued = [reply]
    assert told in await broken(talk)
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("content", "finish", "told"),
    [
        ("", "stop", "the model wrote nothing; try again, or use another model"),
        (" \n", "stop", "the model wrote nothing"),
        (None, "length", "ran out of tokens before its first word"),
        (None, "tool_calls", "it called a tool, and it was offered none"),
        ("Some", "content_filter", "the endpoint filtered the line out"),
    ],
)
async def test_no_line_is_an_error(
    model: Any, talk: Talk, replies: Replies, content: str | None, finish: str, told: str
) -> None:
    model.queued = [replies["completion"](content, finish=finish)]
    assert told in await broken(talk)


async def test_a_refusal_of_the_model_is_an_error(model: Any, talk: Talk, replies: Replies) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot pretend to be Ada"}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    model.queued = [replies["completion"]("", choices=[choice])]
    assert "the model refused to write the line" in await broken(talk)


async def test_a_cap_that_cannot_be_kept_is_an_error(
    model: Any, talk: Talk, replies: Replies
) -> None:
    model.queued = [replies["completion"]("It is A-1234", usage=None)]
    assert "the endpoint does not tell its usage" in await broken(talk, tokens="100")


async def test_trouble_is_tried_again(model: Any, talk: Talk, replies: Replies) -> None:
    model.queued = [
        replies["failure"](503, wait="0"),
        Reply(abort=True),
        replies["failure"](429, code="rate_limit_exceeded", wait="0"),
        replies["completion"]("It is A-1234."),
    ]
    result = await talk()
    assert result.verdict is Verdict.PASSED, result.message
    assert len(model.asked) == 5


async def test_an_endpoint_that_wants_more_patience_than_there_is(
    model: Any, talk: Talk, replies: Replies
) -> None:
    model.queued = [replies["failure"](429, wait="3600")]
    assert "it asks to wait for 3600 s" in await broken(talk)
    assert len(model.asked) == 1


async def test_a_model_that_is_slower_than_its_step_is_an_error(model: Any, talk: Talk) -> None:
    model.silent = True
    message = await broken(talk, bot=BOT.replace("within: 20s", "within: 200ms"))
    assert message == "the action persona took longer than 0.2 s"


async def test_a_model_that_is_slower_than_the_whole_chat_is_an_error(
    model: Any, talk: Talk
) -> None:
    model.silent = True
    message = await broken(talk, bot=BOT.replace("steps:", "limits: {whole_chat: 500ms}\nsteps:"))
    assert "the model had not answered when the time of the whole chat was up" in message


# --- recordings ----------------------------------------------------------------------------------


async def test_a_run_is_recorded_and_replays_with_the_model_switched_off(
    model: Any, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.says("It is A-1234, dear.")
    first = await talk()
    recording = tmp_path / "recording.jsonl"
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    assert [(turn["turn"], turn["reply"]) for turn in turns_of(recording)] == [
        (1, "It is A-1234, dear."),
        (2, "Goodbye [END]"),
    ]
    assert turns_of(recording)[0]["heard"] == ["Hello, this is Grace. What is your order number?"]
    assert turns_of(recording)[0]["model"] == "test-model-2"
    assert turns_of(recording)[0]["usage"] == {"read": 100, "written": 20}
    model.scope.cancel()
    for name in ("BOTKIT_LLM_URL", "BOTKIT_LLM_MODEL", "BOTKIT_LLM_KEY"):
        monkeypatch.delenv(name)
    asked, kept = len(model.asked), recording.read_text()
    again = await talk(replay=str(recording))
    monkeypatch.setenv("BOTKIT_LLM_REPLAY", str(recording))
    by_environment = await talk()
    assert again.verdict is by_environment.verdict is Verdict.PASSED, again.message
    assert lines_of(again) == lines_of(by_environment) == lines_of(first)
    assert again.notes[0] == f"persona: replays {recording}, no model is asked"
    assert again.notes[1:] == first.notes[1:]
    assert len(model.asked) == asked
    assert recording.read_text() == kept


async def test_a_replay_that_goes_another_way(model: Any, talk: Talk, tmp_path: Path) -> None:
    model.says("It is A-1234, dear.")
    await talk()
    other = {
        "replay": str(tmp_path / "recording.jsonl"),
        "agents": AGENTS.replace("this is Grace", "this is Linus"),
    }
    assert (
        "turn 1 answers 'Hello, this is Linus. What is your order number?', and in the recording"
        " 'Hello, this is Grace. What is your order number?': record it anew, or write drift: go_on"
        in await broken(talk, **other)
    )
    result = await talk(**other, drift="go_on")
    assert result.verdict is Verdict.PASSED, result.message
    assert len(model.asked) == 2
    assert sum("; the recorded line was said" in note for note in result.notes) == 2


async def test_a_replay_of_another_persona(model: Any, talk: Talk, tmp_path: Path) -> None:
    model.says("It is A-1234.")
    await talk()
    bot = BOT.replace("persona: Ada", "persona: Bob")
    settings = {"replay": str(tmp_path / "recording.jsonl"), "drift": "go_on", "bot": bot}
    assert "the recording is of another persona, goal or length" in await broken(talk, **settings)


async def test_a_replay_that_goes_on_for_longer(model: Any, talk: Talk, tmp_path: Path) -> None:
    model.says("And?")
    await talk(agents=ENDLESS, turns="1")
    settings = {"replay": str(tmp_path / "recording.jsonl"), "agents": ENDLESS}
    assert "the recording has no turn 2 of this persona" in await broken(talk, **settings)


async def test_secrets_are_recorded_masked_and_not_said_again(
    model: Any, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIN", "p1n-4711")
    bot = BOT.replace("Have order A-1234 closed", "'Close A-1234, PIN ${secret.PIN}'")
    model.says("It is A-1234, and my PIN is p1n-4711")
    result = await talk(bot=bot)
    assert result.verdict is Verdict.PASSED, result.message
    recording = tmp_path / "recording.jsonl"
    assert "p1n-4711" not in recording.read_text()
    assert turns_of(recording)[0]["reply"] == "It is A-1234, and my PIN is ***"
    message = await broken(talk, bot=bot, replay=str(recording))
    assert "the recorded line of turn 1 has something masked in it" in message


async def test_a_recording_that_cannot_be_written_costs_nothing(
    model: Any, talk: Talk, tmp_path: Path
) -> None:
    assert "persona: record cannot be written" in await broken(talk, record=str(tmp_path))
    assert model.asked == []


@pytest.mark.parametrize("text", ["{", "[]", '{"botkit_persona": 1}', "\ufeff"])
async def test_what_is_no_recording(talk: Talk, tmp_path: Path, text: str) -> None:
    (tmp_path / "old.jsonl").write_text(text)
    message = await broken(talk, replay=str(tmp_path / "old.jsonl"))
    assert f"{tmp_path / 'old.jsonl'}:1: this is no turn of a persona" in message
