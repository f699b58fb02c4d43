"""Tells on standard output what happens in a chat, so that a test can act in the middle of it."""

from __future__ import annotations

from botkit import Event, Message, hookimpl


@hookimpl
def on_message(event: Message) -> None:
    print("told", "own" if event.own else "agent", event.text, flush=True)


@hookimpl
def on_interrupted(event: Event) -> None:
    print("told interrupted", flush=True)


@hookimpl
def on_continued(event: Event) -> None:
    print("told continued", flush=True)


@hookimpl
def on_session_ended(event: Event) -> None:
    print("told ended", flush=True)
