"""What the simulator tells about itself, as JSON; no secret of a chat is in it. Pure."""

from __future__ import annotations

from itertools import islice

from botkit.bayeux.messages import JSON
from botkit.chat import EndedBy
from botkit.simulator.centre import Centre
from botkit.simulator.chats import Chat, Entry
from botkit.simulator.faults import KINDS, Fault, Faults

SHOWN = 100
"""Chats that the status lists at most."""


def status_of(
    centre: Centre,
    faults: Faults,
    *,
    sessions: int,
    guests: int,
    failed_agents: int,
    now: float,
) -> dict[str, JSON]:
    """Sum the contact centre up: counts first, then its chats, the open ones before all others."""
    queued = sum(chat.state == "queued" for chat in centre.open_chat_list())
    return {
        "simulator": "botkit",
        "open": centre.open_chats,
        "queued": queued,
        "active": centre.open_chats - queued,
        "total": centre.total,
        "ended": {by.value: centre.ended[by] for by in (EndedBy.CUSTOMER, EndedBy.SERVICE)},
        "sessions": sessions,
        "guests": guests,
        "agents_failed": failed_agents,
        "faults": faults_of(faults),
        "chats": [summary_of(chat, now=now) for chat in islice(centre.chats(), SHOWN)],
    }


def faults_of(faults: Faults) -> dict[str, JSON]:
    """Tell which faults wait, and how often each name has struck."""
    return {
        "active": [fault_of(fault) for fault in faults.active],
        "struck": dict(faults.struck),
    }


def fault_of(fault: Fault) -> dict[str, JSON]:
    """Write a fault as a file would, without what is as its kind says."""
    kind = KINDS[fault.name]
    raw: dict[str, JSON] = {"name": fault.name}
    if fault.on != kind.on:
        raw["on"] = fault.on
    if fault.service is not None:
        raw["service"] = fault.service
    if fault.session is not None:
        raw["session"] = fault.session
    if fault.after:
        raw["after"] = fault.after
    if fault.times is not None:
        raw["times"] = fault.times
    if fault.probability < 1.0:
        raw["probability"] = fault.probability
    if fault.each_session:
        raw["each_session"] = True
    if kind.seconds is not None and fault.seconds != kind.seconds:
        raw["time"] = f"{round(fault.seconds * 1000)}ms"
    if kind.options and fault.option != kind.options[0]:
        raw["option"] = fault.option
    return raw


def summary_of(chat: Chat, *, now: float) -> dict[str, JSON]:
    """Sum one chat up."""
    return {
        "id": chat.id,
        "number": chat.number,
        "service": chat.service,
        "nickname": chat.customer.name,
        "state": chat.state,
        "ended_by": chat.ended_by.value if chat.ended_by is not None else None,
        "agents": [party.name for party in chat.agents.values()],
        "entries": chat.next_index - 1,
        "age": round((chat.ended_at if chat.ended_at is not None else now) - chat.opened_at, 3),
        "reports": [
            {"agent": report.agent, "verdict": report.verdict, "message": report.message}
            for report in chat.reports
        ],
    }


def detail_of(chat: Chat, *, now: float) -> dict[str, JSON]:
    """Tell all about one chat, as an agent would see it."""
    return {
        **summary_of(chat, now=now),
        "subject": chat.subject,
        "userdata": dict(chat.userdata),
        "visible": [*sorted(chat.visible)],
        "read_up_to": chat.read_up_to,
        "transcript": [entry_of(entry) for entry in chat.log],
    }


def entry_of(entry: Entry) -> dict[str, JSON]:
    """Write one entry of a log."""
    return {
        "index": entry.index,
        "kind": entry.kind.value,
        "from": entry.party.name,
        "party": entry.party.kind.value,
        "text": entry.text,
        "userdata": dict(entry.userdata),
        "utc": entry.utc,
    }
