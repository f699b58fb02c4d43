"""What the connector ``gms-cometd`` takes and refuses before it opens anything."""

import pytest

from botkit.connectors.gms_cometd import GmsCometd
from botkit.errors import ConfigError
from botkit.interfaces import Opening

URL = "http://127.0.0.1:8080/genesys/cometd"


@pytest.mark.parametrize(
    "opening",
    [
        Opening(url=URL),
        Opening(url="https://chat.example.com/genesys/cometd/"),
        Opening(url=URL, options={"channel": "/chat/{service}/v2"}),
        Opening(url=URL, options={"channel": "/service/fixed"}),
        Opening(url=URL, options={"transport": "auto"}),
        Opening(url=URL, options={"transport": "websocket"}),
        Opening(url=URL, options={"transport": "long-polling", "push_url": "push"}),
        Opening(url=URL, options={"update_data": "updateUserData", "push_url": "push"}),
    ],
)
def test_what_can_be_opened(opening: Opening) -> None:
    GmsCometd().check(opening)
    assert GmsCometd().server_of(opening) == opening.url


@pytest.mark.parametrize(
    ("opening", "key", "words"),
    [
        (Opening(), "server", "needs the http or https URL"),
        (Opening(url="ws://127.0.0.1/cometd"), "server", "'ws://127.0.0.1/cometd'"),
        (Opening(url="127.0.0.1:8080"), "server", "such as http://host:8080"),
        (
            Opening(url=URL, options={"chanel": "/x"}),
            "options.chanel",
            "it has channel, files_url, push_url",
        ),
        (Opening(url=URL, options={"files_url": "/x"}), "options.files_url", "no http or https"),
        (Opening(url=URL, options={"transport": "ws"}), "options.transport", "auto, websocket, lo"),
        (Opening(url=URL, options={"channel": ""}), "options.channel", "no channel"),
        (Opening(url=URL, options={"channel": "chat"}), "options.channel", "'chat' is no channel"),
        (Opening(url=URL, options={"channel": "/meta/x"}), "options.channel", "no channel"),
        (Opening(url=URL, options={"channel": "/{servise}"}), "options.channel", "no channel"),
        (Opening(url=URL, options={"channel": "/{0}"}), "options.channel", "no channel"),
        (Opening(url=URL, options={"channel": "/{service.x}"}), "options.channel", "no channel"),
        (Opening(url=URL, options={"channel": "/{"}), "options.channel", "no channel"),
    ],
)
def test_what_cannot_be_opened(opening: Opening, key: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GmsCometd().check(opening)
    assert caught.value.key == key
    assert words in str(caught.value)
