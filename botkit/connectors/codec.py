"""The JSON codec of the connectors: orjson, with replies no larger than they are."""

from __future__ import annotations

from typing import Any

import orjson

loads = orjson.loads


def dumps(value: Any, /) -> bytes:
    """Write JSON.

    orjson leaves its result in the 4 KB buffer that it wrote it to. A body lives as long as its
    request, half a minute for a held poll, so thousands of chats would hold thousands of them.
    """
    return bytes(memoryview(orjson.dumps(value)))
