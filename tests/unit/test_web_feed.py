"""A feed never gives out a frame twice, out of order, or across a hole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pathway_viz.bus.types import Frame
from pathway_viz.web.feed import Feed, Verdict
from pathway_viz.wire import Position


def at(offset: int, epoch: str = "e") -> Position:
    return Position(epoch, 1000 + offset, offset)


def frame(offset: int, epoch: str = "e") -> Frame:
    return Frame("t", at(offset, epoch), b"%d" % offset)


def feed_at(offset: int) -> Feed:
    feed = Feed("t")
    feed.begin_at(at(offset))
    return feed


def test_the_next_frame_is_given_out_once() -> None:
    feed = feed_at(1)
    assert [feed.take(frame(2)), feed.take(frame(2)), feed.take(frame(1))] == [
        Verdict.NEXT,
        Verdict.OLD,
        Verdict.OLD,
    ]
    assert feed.end_tick() == [b"2"]
    assert feed.end_tick() == []


def test_nothing_passes_a_hole_until_it_is_filled() -> None:
    feed = feed_at(1)
    assert feed.take(frame(4)) is Verdict.GAP
    assert feed.take(frame(5)) is Verdict.GAP
    assert feed.end_tick() == []
    feed.put(at(2), b"2")
    feed.put(at(3), b"3")
    assert feed.filled() is Verdict.NEXT
    assert feed.end_tick() == [b"2", b"3", b"4", b"5"]


def test_another_epoch_is_a_hole_even_at_the_next_offset() -> None:
    assert feed_at(1).take(frame(2, "other")) is Verdict.GAP


def test_the_first_frame_of_an_unknown_topic_is_a_hole() -> None:
    assert Feed("t").take(frame(1)) is Verdict.GAP


def test_who_joins_gets_what_came_after_its_state_or_is_told_that_it_is_unknown() -> None:
    feed = feed_at(1)
    for offset in (2, 3, 4):
        feed.take(frame(offset))
    assert feed.after(at(2)) == [b"3", b"4"]
    assert feed.after(at(4)) == []
    assert feed.after(at(0)) is None
    assert feed.after(at(2, "other")) is None
    assert feed.is_behind(at(5))


@given(st.lists(st.integers(1, 30), max_size=80))
def test_whatever_arrives_what_is_given_out_is_a_row_without_holes(offsets: list[int]) -> None:
    feed = feed_at(0)
    given_out: list[int] = []
    for offset in offsets:
        if feed.take(frame(offset)) is Verdict.GAP:
            assert feed.position is not None
            for missing in range(feed.position.offset + 1, offset):
                feed.put(at(missing), b"%d" % missing)
            while feed.filled() is Verdict.GAP:
                following = feed.position.offset + 1
                feed.put(at(following), b"%d" % following)
        given_out += map(int, feed.end_tick())
    assert given_out == list(range(1, len(given_out) + 1))


def test_a_frame_of_a_flush_is_shown_when_its_seal_comes_and_not_before() -> None:
    feed = feed_at(1)
    feed.worker = "shop"
    feed.take(Frame("t", at(2), b"2", together=True))
    feed.take(Frame("t", at(3), b"3", together=True))
    assert (feed.end_tick(), feed.shown) == ([], at(1))
    feed.release(at(2))
    assert (feed.end_tick(), feed.shown, feed.open) == ([b"2"], at(2), True)


def test_a_frame_whose_seal_never_comes_is_shown_when_patience_ends() -> None:
    feed = feed_at(1)
    feed.worker = "shop"
    feed.take(Frame("t", at(2), b"2", together=True))
    feed.lose_patience()
    feed.take(Frame("t", at(3), b"3", together=True))
    assert feed.end_tick() == []
    feed.lose_patience()
    assert feed.end_tick() == [b"2"]


def test_a_frame_that_stands_alone_is_shown_at_once() -> None:
    feed = feed_at(1)
    feed.worker = "shop"
    feed.take(frame(2))
    assert feed.end_tick() == [b"2"]
