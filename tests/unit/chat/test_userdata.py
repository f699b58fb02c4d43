"""The user data that a session may see."""

from botkit.chat import UserdataView


def test_merging_tells_what_is_new() -> None:
    view = UserdataView()
    assert view.merge({"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert view.merge({"a": "1", "b": "3"}) == {"b": "3"}
    assert view.merge({}) == {}
    assert view.snapshot() == {"a": "1", "b": "3"}


def test_forgetting_tells_whether_it_was_there() -> None:
    view = UserdataView()
    view.merge({"a": "", "b": "2"})
    assert view.get("a") == ""
    assert view.forget("a")
    assert not view.forget("a")
    assert view.get("a") is None
    assert view.get("b") == "2"


def test_a_snapshot_stays_as_it_was() -> None:
    view = UserdataView({"a": "1"})
    before = view.snapshot()
    view.merge({"a": "2", "b": "3"})
    view.forget("a")
    assert before == {"a": "1"}
    assert view.snapshot() == {"b": "3"}


def test_views_that_begin_alike_go_their_own_ways() -> None:
    initial = {"a": "1"}
    one, other = UserdataView(initial), UserdataView(initial)
    one.merge({"a": "2"})
    one.forget("a")
    assert other.get("a") == "1"
    assert initial == {"a": "1"}
