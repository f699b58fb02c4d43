"""What the connector ``gms-rest`` takes and refuses before it opens anything."""

import pytest

from botkit.connectors.gms_rest import GmsRest, read_options
from botkit.errors import ConfigError
from botkit.interfaces import Opening

URL = "http://127.0.0.1:8080/genesys/2/chat"


@pytest.mark.parametrize(
    "opening",
    [
        Opening(url=URL),
        Opening(url="https://chat.example.com/gms/2/chat/"),
        Opening(url=URL, options={"update_data": "updateUserData"}),
        Opening(url=URL, options={"poll_longest": "2m", "idle_limit": "4m"}),
    ],
)
def test_what_can_be_opened(opening: Opening) -> None:
    GmsRest().check(opening)
    assert GmsRest().server_of(opening) == opening.url


def test_times_are_read_with_their_unit() -> None:
    times = read_options({"poll_shortest": "500ms", "poll_longest": "1.5s"}).times
    assert (times.pace.shortest, times.pace.longest, times.reply_within) == (0.5, 1.5, 10.0)


@pytest.mark.parametrize(
    ("opening", "key", "words"),
    [
        (Opening(), "server", "needs the http or https URL"),
        (Opening(url="ws://127.0.0.1/2/chat"), "server", "such as http://host:8080"),
        (Opening(url=URL, options={"chanel": "/x"}), "options.chanel", "it has idle_limit"),
        (Opening(url=URL, options={"push_url": "a b"}), "options.push_url", "no segment"),
        (Opening(url=URL, options={"poll_shortest": "1"}), "options.poll_shortest", "no time"),
        (Opening(url=URL, options={"reply_within": "-1s"}), "options.reply_within", "no time"),
        (Opening(url=URL, options={"poll_longest": "151s"}), "options.poll_longest", "half"),
        (Opening(url=URL, options={"poll_longest": "1ms"}), "options.poll_longest", "less"),
    ],
)
def test_what_cannot_be_opened(opening: Opening, key: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GmsRest().check(opening)
    assert caught.value.key == key
    assert words in str(caught.value)
