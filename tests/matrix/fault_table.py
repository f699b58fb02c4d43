"""The rows of the fault matrix, in order."""

from __future__ import annotations

from chat_rows import CONNECTION_ROWS, PUSH_ROWS, RANDOM_ROWS, SESSION_ROWS
from opening_rows import AGENT_ROWS, OPENING_ROWS

SECTIONS = {
    "While the chat is opened": OPENING_ROWS,
    "Agents, and the goodbye": AGENT_ROWS,
    "What the service pushes": PUSH_ROWS,
    "The connection": CONNECTION_ROWS,
    "The session": SESSION_ROWS,
    "At random, with a seed": RANDOM_ROWS,
}
ROWS = [row for rows in SECTIONS.values() for row in rows]
