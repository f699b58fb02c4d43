"""The envelopes of web messaging: golden frames, round trips, and any JSON at all."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.errors import RemoteProtocolError
from botkit.genesys.web_content import (
    BUTTON,
    DATE_PICKER,
    Attachment,
    Offer,
    Pressed,
    attachment_content,
    attachments_in,
    card_content,
    carousel_content,
    content_as_text,
    offers_in,
    pressed_content,
    pressed_in,
    quick_reply_content,
    sent_attachment_content,
    titles_in,
)
from botkit.genesys.web_messaging import (
    BODIES,
    decode_frame,
    decode_history,
    decode_request,
    encode_frame,
    encode_history,
    encode_request,
)
from botkit.genesys.web_records import (
    AttachmentDeleted,
    AttachmentFailed,
    ConnectionClosed,
    Frame,
    GuestMessage,
    History,
    JourneyContext,
    Jwt,
    MessageEvent,
    Opaque,
    PresignedUrl,
    Request,
    Sender,
    SessionInfo,
    TooManyRequests,
    Uploaded,
)

# --- golden: the reference's own examples, and test data of the official Kotlin SDK --------------

SESSION = """{"type":"response","class":"SessionResponse","code":200,"tracingId":"t-1",
    "body":{"connected":true,"newSession":true,"readOnly":false,"maxCustomDataBytes":2048,
            "durationSeconds":259200,"expirationDate":1767484800,
            "allowedMedia":{"inbound":{"fileTypes":[{"type":"image/png"}],"maxFileSizeKB":10240}},
            "blockedExtensions":[".exe"]}}"""
QUICK_REPLIES = """{"type":"message","class":"StructuredMessage","code":200,
 "body":{"id":"a1b2","type":"Structured","direction":"Outbound","originatingEntity":"Bot",
   "text":"Pick one","channel":{"time":"2026-01-01T10:00:00.000Z","type":"Private"},
   "content":[{"contentType":"QuickReply",
               "quickReply":{"text":"Yes","payload":"y","action":"Message"}}]}}"""
TOO_MANY = (
    '{"type":"response","class":"TooManyRequestsErrorMessage","code":429,"body":{"retryAfter":3,'
    '"errorCode":4029,"errorMessage":"Message rate too high for this session"}}'
)
TYPING = (
    '{"type": "message","class": "StructuredMessage","code": 200,"body": {"direction": "Outbound",'
    '"id": "0","channel": {"time": "2022-03-09T13:35:31.104Z","messageId": "0"},"type": "Event",'
    '"metadata": {"correlationId": "0"},'
    '"events": [{"eventType": "Typing","typing": {"type": "On","duration": 5000}}]}}'
)


def frame(text: str) -> Frame:
    return decode_frame(json.loads(text))


def test_a_session_response_says_what_may_be_sent() -> None:
    answer = frame(SESSION)
    assert (answer.name, answer.code, answer.type) == ("SessionResponse", 200, "response")
    assert answer.tracing_id == "t-1"
    assert answer.body == SessionInfo(
        connected=True,
        new_session=True,
        file_types=("image/png",),
        max_file_kb=10240,
        blocked_extensions=(".exe",),
        max_custom_data_bytes=2048,
        duration=259200.0,
        expires=1767484800.0,
    )


def test_a_short_session_response_leaves_the_rest_unsaid() -> None:
    answer = decode_frame({"class": "SessionResponse", "code": 200, "body": {"connected": False}})
    assert answer.body == SessionInfo(connected=False, new_session=None)


def test_quick_replies_are_offers() -> None:
    message = frame(QUICK_REPLIES).body
    assert isinstance(message, GuestMessage)
    assert (message.text, message.entity, message.utc) == ("Pick one", "Bot", 1767261600.0)
    assert offers_in(message.content) == (Offer(text="Yes", payload="y", type="QuickReply"),)


def test_typing_lasts_as_long_as_it_says() -> None:
    message = frame(TYPING).body
    assert isinstance(message, GuestMessage)
    assert message.events == (MessageEvent(type="Typing", value="On", duration=5.0),)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (TOO_MANY, TooManyRequests(retry_after=3.0, code=4029, message="Message rate too high"
                                   " for this session")),
        ('{"class":"ConnectionClosedEvent","code":200,"body":{}}', ConnectionClosed()),
        ('{"class":"ConnectionClosedEvent","code":200}', ConnectionClosed()),
        ('{"class":"ConnectionClosedEvent","code":200,"body":{"reasonCode":"signedIn"}}',
         ConnectionClosed(reason="signedIn")),
        ('{"class":"LogoutEvent","code":200,"body":{}}', Opaque(value={})),
        ('{"class":"string","code":4011,"body":"message too long"}', "message too long"),
        ('{"class":"JwtResponse","code":200,"body":{"jwt":"some_jwt","exp":333}}',
         Jwt(jwt="some_jwt", expires=333.0)),
        ('{"class":"GenerateUrlError","code":200,"body":{"attachmentId":"a","errorCode":4001,'
         '"errorMessage":"no"}}', AttachmentFailed(attachment_id="a", code=4001, message="no")),
        ('{"class":"NotSupportedClassName","code":200,"body":[1]}', Opaque(value=[1])),
    ],
)  # fmt: skip
def test_other_classes(text: str, body: object) -> None:
    assert frame(text).body == body


def test_the_first_request_is_that_of_the_reference() -> None:
    request = Request(
        action="configureSession",
        token="0f3c6d1e-bot-17",
        tracing_id="t-1",
        deployment_id="11111111-2222-3333-4444-555555555555",
        start_new=False,
        journey=JourneyContext(customer_id="0f3c6d1e-bot-17"),
    )
    assert encode_request(request) == {
        "action": "configureSession",
        "deploymentId": "11111111-2222-3333-4444-555555555555",
        "token": "0f3c6d1e-bot-17",
        "startNew": False,
        "tracingId": "t-1",
        "journeyContext": {
            "customer": {"id": "0f3c6d1e-bot-17", "idType": "cookie"},
            "customerSession": {"id": "", "type": "web"},
        },
    }


@pytest.mark.parametrize("on_top", [False, True])
def test_attributes_go_where_the_deployment_wants_them(on_top: bool) -> None:
    message = GuestMessage(
        text="hello", attributes={"orderNo": "A17"}, attributes_on_top=on_top, metadata={"k": "v"}
    )
    raw = encode_request(Request(action="onMessage", token="t", message=message))
    channel = {"metadata": {"customAttributes": {"orderNo": "A17"}}}
    inside: Any = raw["message"]
    assert (raw.get("channel"), inside.get("channel")) == (
        (channel, None) if on_top else (None, channel)
    )
    assert decode_request(raw).message == message


# --- content -------------------------------------------------------------------------------------


def test_cards_offer_what_answers_and_show_their_titles() -> None:
    offers = (Offer(text="This", payload="1", type=BUTTON),)
    cards = (
        card_content("One", "a card", offers),
        carousel_content([("Two", "", offers), ("Three", "", ())]),
    )
    assert offers_in(cards) == offers * 2
    assert titles_in(cards) == "One\na card\nTwo\nThree"


def test_a_link_is_no_answer() -> None:
    body: Any = {"card": {"title": "T", "actions": [{"type": "Link", "text": "Go", "url": "u"}]}}
    message = decode_history({"entities": [{"content": [{"contentType": "Card", **body}]}]})
    assert offers_in(message.messages[0].content) == ()


def test_times_are_answers() -> None:
    raw: Any = {
        "contentType": "DatePicker",
        "datePicker": {
            "title": "When?",
            "availableTimes": [{"duration": 60, "dateTime": "2026-01-01T10:00Z"}],
        },
    }
    (content,) = decode_history({"entities": [{"content": [raw]}]}).messages[0].content
    time = "2026-01-01T10:00Z"
    assert offers_in([content]) == (Offer(text=time, payload=time, type=DATE_PICKER),)
    assert titles_in([content]) == "When?"


def test_content_is_kept_as_it_came() -> None:
    raw: Any = [{"contentType": "Reactions", "reactions": [{"x": 1}]}, {"contentType": "Location"}]
    (message,) = decode_history({"entities": [{"content": raw}]}).messages
    assert json.loads(content_as_text(message.content)) == raw


# --- round trips ---------------------------------------------------------------------------------

texts = st.text(max_size=8)
names = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=8)
stamps = st.none() | st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
numbers = st.none() | st.integers(0, 2**40)
seconds = st.none() | st.integers(0, 2**31).map(float)
attachments = st.builds(Attachment, id=names, name=texts, url=texts, mime=texts, size=numbers)
offered = st.builds(Offer, text=texts, payload=texts, type=st.just(BUTTON))
contents = st.one_of(
    st.builds(quick_reply_content, texts, texts),
    st.builds(card_content, texts, texts, st.lists(offered, max_size=2)),
    st.builds(sent_attachment_content, names),
    attachments.map(attachment_content),
    st.builds(Pressed, text=texts, payload=texts, type=texts).map(pressed_content),
)
events = st.one_of(
    st.builds(
        MessageEvent,
        type=st.just("Typing"),
        value=names,
        duration=st.none() | st.integers(0, 10**6).map(lambda ms: ms / 1000),
    ),
    st.builds(MessageEvent, type=st.just("Presence"), value=names, duration=st.none()),
)
platform_messages = st.builds(
    GuestMessage,
    type=names,
    id=names,
    text=texts,
    direction=st.sampled_from(["Inbound", "Outbound"]),
    utc=stamps,
    sender=st.builds(Sender, nickname=texts, first_name=texts, last_name=texts),
    entity=texts,
    originating_message_id=texts,
    content=st.lists(contents, max_size=2).map(tuple),
    events=st.lists(events, max_size=2).map(tuple),
    metadata=st.dictionaries(texts, texts, max_size=2),
    attributes=st.just({}),
    attributes_on_top=st.just(False),
)
sessions = st.builds(
    SessionInfo,
    connected=st.booleans(),
    new_session=st.none() | st.booleans(),
    read_only=st.booleans(),
    cleared_existing_session=st.booleans(),
    file_types=st.lists(names, max_size=2).map(tuple),
    max_file_kb=numbers,
    blocked_extensions=st.lists(names, max_size=2).map(tuple),
    max_custom_data_bytes=numbers,
    duration=seconds,
    expires=seconds,
)
failed = st.builds(AttachmentFailed, attachment_id=names, code=numbers, message=texts)
bodies = st.one_of(
    st.tuples(st.just("SessionResponse"), sessions),
    st.tuples(st.just("StructuredMessage"), platform_messages),
    st.tuples(st.just("ConnectionClosedEvent"), st.builds(ConnectionClosed, reason=texts)),
    st.tuples(
        st.just("PresignedUrlResponse"),
        st.builds(
            PresignedUrl, attachment_id=names, url=texts, headers=st.dictionaries(names, texts),
            file_name=names, file_size=numbers, file_type=texts,
        ),
    ),
    st.tuples(
        st.just("UploadSuccessEvent"),
        st.builds(Uploaded, attachment_id=names, download_url=texts, utc=stamps),
    ),
    st.tuples(st.sampled_from(["UploadFailureEvent", "GenerateUrlError"]), failed),
    st.tuples(
        st.just("AttachmentDeletedResponse"), st.builds(AttachmentDeleted, attachment_id=names)
    ),
    st.tuples(st.just("JwtResponse"), st.builds(Jwt, jwt=texts, expires=seconds)),
    st.tuples(
        st.just("TooManyRequestsErrorMessage"),
        st.builds(TooManyRequests, retry_after=seconds, code=numbers, message=texts),
    ),
    st.tuples(names, texts),
)  # fmt: skip
frames = st.builds(
    lambda name_and_body, **members: Frame(name=name_and_body[0], body=name_and_body[1], **members),
    bodies,
    code=st.integers(200, 5000),
    type=st.sampled_from(["message", "response"]),
    tracing_id=texts,
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(frames)
@settings(max_examples=150)
def test_a_frame_survives_the_wire(sent: Frame) -> None:
    assert decode_frame(through_json(encode_frame(sent))) == sent


@given(st.lists(platform_messages, max_size=3), st.integers(1, 9))
@settings(max_examples=30)
def test_a_page_of_the_history_survives_the_wire(said: list[GuestMessage], page: int) -> None:
    sent = History(messages=tuple(said), page=page, pages=9, page_size=25, total=200)
    assert decode_history(through_json(encode_history(sent))) == sent


requests = st.builds(
    Request,
    action=names,
    token=texts,
    tracing_id=texts,
    deployment_id=texts,
    start_new=st.none() | st.booleans(),
    journey=st.none() | st.builds(JourneyContext, customer_id=texts),
    auth_code=texts,
    message=st.none(),
    attachment_id=texts,
    file_name=texts,
    file_type=texts,
    file_size=numbers,
    file_md5=texts,
    errors_as_json=st.none() | st.booleans(),
    close_all_connections=st.none() | st.booleans(),
)


@given(requests)
@settings(max_examples=60)
def test_a_request_survives_the_wire(sent: Request) -> None:
    assert decode_request(through_json(encode_request(sent))) == sent


def test_an_answer_is_found_in_what_was_sent() -> None:
    pressed = Pressed(text="Yes", payload="y", type="QuickReply", originating_message_id="m1")
    message = GuestMessage(content=(pressed_content(pressed),))
    raw = encode_request(Request(action="onMessage", token="t", message=message))
    read = decode_request(raw).message
    assert read is not None
    assert pressed_in(read.content) == pressed
    assert pressed_in(()) is None
    assert attachments_in(read.content) == ()


# --- any JSON ------------------------------------------------------------------------------------

MEMBERS = sorted(
    {
        "type", "class", "code", "body", "tracingId", "action", "message", "channel", "content",
        "events", "contentType", "quickReply", "card", "carousel", "cards", "actions", "datePicker",
        "availableTimes", "eventType", "typing", "presence", "duration", "metadata", "entities",
        "customAttributes", "allowedMedia", "inbound", "fileTypes", "from", "time", "connected",
        "attachment", "buttonResponse", "data", "journeyContext", "customer",
    }
)  # fmt: skip
WORDS = sorted({*BODIES, "Typing", "Presence", "Card", "Carousel", "DatePicker", "Attachment"})
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(WORDS)
any_json = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS) | texts, inner, max_size=5)
    ),
    max_leaves=20,
)
enveloped = st.builds(
    lambda name, body: {"class": name, "code": 200, "body": body, "entities": [body],
                        "action": "onMessage", "message": body},
    st.sampled_from(WORDS),
    any_json,
)  # fmt: skip


@given(any_json | enveloped)
@settings(max_examples=300)
def test_any_json_is_read_or_refused(raw: Any) -> None:
    for decode in (decode_frame, decode_request, decode_history):
        with contextlib.suppress(RemoteProtocolError):
            decode(raw)


def test_content_nested_without_end_is_refused() -> None:
    nested: Any = "x"
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(RemoteProtocolError, match="nested too deeply"):
        decode_history({"entities": [{"content": [{"contentType": "Odd", "odd": nested}]}]})


@pytest.mark.parametrize("stamp", ["some_time", "", None, "9999-99-99", 5, "0001-01-01T00:00:00"])
def test_a_time_that_is_none_orders_nothing(stamp: Any) -> None:
    (message,) = decode_history({"entities": [{"channel": {"time": stamp}}]}).messages
    assert message.utc is None or message.utc < 0
