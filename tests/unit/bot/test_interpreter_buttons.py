"""Buttons that are offered and pressed, and files that are sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from botkit import chat
from botkit.bot import offers
from botkit.bot.loader import load_file
from botkit.chat import Button, Message, Party, PartyKind, PressButton

Rehearse = Callable[..., Any]
BUTTONS = (Button(text="Yes", payload="y"), Button(text="No", payload="n"))
ME = Party(name="Bill", kind=PartyKind.CUSTOMER)


def offered(play: Any, *buttons: Button, **members: Any) -> None:
    play.say("Pick one", buttons=buttons or BUTTONS, **members)


PRESS = "steps: [expect: Pick, {say: {button: 'Yes'}}]"


def test_a_button_that_was_offered_is_pressed(rehearse: Rehearse) -> None:
    play = rehearse(PRESS)
    offered(play, message_id="m-1")
    assert play.commands == [PressButton(text="Yes", payload="y", message_id="m-1")]
    assert play.verdict == ("passed", "ok")


def test_the_newest_button_of_a_text_is_pressed(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: last, {say: {button: 'yes'}}]")
    offered(play, message_id="m-1")
    offered(play, Button(text="YES", payload="2"), message_id="m-2")
    play.say("last")
    assert play.commands == [PressButton(text="YES", payload="2", message_id="m-2")]


def test_the_same_spelling_goes_before_a_newer_one_of_another(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: last, {say: {button: 'Yes'}}]")
    offered(play, message_id="m-1")
    offered(play, Button(text="YES"), message_id="m-2")
    play.say("last")
    assert play.commands == [PressButton(text="Yes", payload="y", message_id="m-1")]


def test_what_was_offered_before_a_restore_can_be_pressed(rehearse: Rehearse) -> None:
    play = rehearse(PRESS)
    offered(play, history=True, message_id="m-1")
    play.say("Pick")
    assert play.verdict == ("passed", "ok")


def test_values_are_filled_in(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps: [expect: {matches: 'Pick (?P<which>\\w+)'}, {say: {button: '${which}'}}]"
    )
    play.say("Pick No", buttons=BUTTONS)
    assert play.said == ["No"]


@pytest.mark.parametrize(
    ("buttons", "instead"),
    [(BUTTONS, "there was Yes, No"), ((), "there was none at all")],
)
def test_a_button_that_was_not_offered_fails(
    rehearse: Rehearse, buttons: tuple[Button, ...], instead: str
) -> None:
    play = rehearse("steps: [expect: Pick, {say: {button: Maybe}, typing: 1s}]")
    play.say("Pick one", buttons=buttons)
    assert play.verdict == ("failed", "expectation")
    assert play.finished.message == f"no button 'Maybe' was offered; {instead}"
    assert play.last.verb == "say"
    assert play.commands == []


@pytest.mark.parametrize("members", [{"own": True}, {"party": ME}])
def test_the_customer_offers_nothing(rehearse: Rehearse, members: dict[str, Any]) -> None:
    play = rehearse("steps: [expect: last, {say: {button: 'Yes'}}]")
    offered(play, **members)
    play.say("last")
    assert play.verdict == ("failed", "expectation")


def test_typing_is_shown_before_a_button_is_pressed(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: Pick, {say: {button: 'Yes'}, typing: 1s}]")
    offered(play)
    assert play.commands == [chat.SendTyping()]
    play.wait(1.001)
    assert play.said == ["Yes"]


def test_a_reaction_presses(rehearse: Rehearse) -> None:
    play = rehearse(
        "whenever: [{message: Pick, do: [{say: {button: 'Yes'}}]}]\nsteps: [expect: last]"
    )
    offered(play)
    assert play.said == ["Yes"]

    play = rehearse(
        "whenever: [{message: Pick, do: [{say: {button: Maybe}}]}]\nsteps: [expect: last]"
    )
    offered(play)
    assert play.verdict == ("failed", "expectation")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "MAX_OFFERS", 3)
    memory = offers.Offers()
    for number in range(10):
        button = Button(text=f"Button {number}")
        memory.note(Message(at=0, seq=number, text="x", buttons=(button,)))
    assert str(memory) == "Button 7, Button 8, Button 9"


AGENTS = """
botkit-agents: 1
agents:
  Grace:
    - expect: {matches: 'I am (?P<name>\\w+)'}
    - say: {text: 'Is it you, ${name}?', buttons: ['Yes, ${name}', 'No']}
      typing: 1s
    - send_file: terms.txt
"""


def test_an_agent_offers_buttons_and_sends_files(rehearse: Rehearse, tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_bytes(b"terms")
    (tmp_path / "a.yaml").write_text(AGENTS)
    loaded = load_file(tmp_path / "a.yaml")
    assert loaded.problems == ()
    play = rehearse(loaded.agents[0].agents["Grace"])
    play.say("I am Bill", party=ME)
    play.wait(1.001)
    assert play.commands == [
        chat.SendTyping(),
        chat.OfferButtons(
            text="Is it you, Bill?", buttons=(Button(text="Yes, Bill"), Button(text="No"))
        ),
        chat.SendFile(name="terms.txt", content=b"terms", media_type="text/plain"),
    ]


def test_a_file_that_came_is_waited_for(rehearse: Rehearse) -> None:
    play = rehearse("steps: [wait_for: file]")
    play.push(chat.File, file_id="f-1", name="terms.txt")
    assert play.verdict == ("passed", "ok")
    assert play.last.took == "[file] terms.txt"
