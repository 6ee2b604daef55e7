"""The queue of what is not acknowledged: numbers modulo 2^32, gaps, holes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_py.xmpp.smqueue import MASK, OutgoingQueue


def message(number):
    return f"<message id='{number}'><body/></message>".encode()


def presence(sender, number, type=""):
    return f"<presence from='{sender}'{type}><status>{number}</status></presence>".encode()


def filled(count, size=100, acked=0):
    queue = OutgoingQueue(size, acked)
    for number in range(count):
        queue.push(0.0, message(number))
    return queue


def test_what_is_acknowledged_is_taken_out_in_order():
    queue = filled(5)
    assert [number for number, _when, _text in queue.ack(2)] == [1, 2]
    assert queue.ack(2) == [] and queue.ack(1) == []
    assert (queue.count_acked(), queue.count_unacked()) == (2, 3)
    assert [element.attr["id"] for element in queue.table()] == ["2", "3", "4"]


@pytest.mark.parametrize("acked", [0, 1, MASK - 1, MASK, MASK + 1, 3 * (MASK + 1) + 7])
def test_more_than_was_sent_cannot_be_acknowledged(acked):
    queue = filled(3, acked=acked)
    with pytest.raises(ValueError, match="more is acknowledged"):
        queue.ack((acked + 4) & MASK)
    assert len(queue.ack((acked + 3) & MASK)) == 3
    assert queue.is_old((acked + 2) & MASK) == (acked + 2 >= 0)


def test_nothing_is_older_than_the_beginning():
    queue = filled(3)
    assert not queue.is_old(MASK)
    with pytest.raises(ValueError, match="more is acknowledged"):
        queue.ack(MASK)


def test_presence_is_thinned_out_to_the_newest_of_each_sender():
    queue = OutgoingQueue(4)
    for number, sender in enumerate("aabab"):
        queue.push(0.0, presence(sender, number))
    queue.push(0.0, presence("a", 5, " type='subscribe'"))
    assert queue.thin() and queue.resumable()
    assert [text for _number, _when, text in queue.entries] == [
        presence("a", 3), presence("b", 4), presence("a", 5, " type='subscribe'")]
    assert queue.ack(2) == [] and queue.renumber() == {4: 3, 5: 4, 6: 5}
    assert queue.head == 5 and queue.renumber() == {}


def test_a_hole_is_behind_once_what_follows_is_acknowledged():
    queue = OutgoingQueue(4)
    for number in range(6):
        queue.push(0.0, f"<iq id='{number}'/>".encode())
    queue.push(0.0, message(6))
    assert not queue.thin() and queue.resumable()
    assert queue.thin(drop=True) and not queue.resumable()
    queue.ack(2)
    assert not queue.resumable()
    queue.ack(4)
    assert queue.resumable()


@given(st.integers(0, 5 * MASK), st.lists(st.one_of(
    st.tuples(st.just("push"), st.integers(0, 9)), st.tuples(st.just("ack"), st.integers(0, 9)))))
def test_it_behaves_as_a_list_does(acked, steps):
    queue, model = OutgoingQueue(1000, acked), []
    sent = acked
    for step, amount in steps:
        if step == "push":
            for _ in range(amount):
                sent += 1
                queue.push(0.0, message(sent))
                model.append(sent)
        else:
            amount = min(amount, len(model))
            done, model = model[:amount], model[amount:]
            assert [entry[0] for entry in queue.ack((queue.tail + amount) & MASK)] == done
    assert [entry[0] for entry in queue.entries] == model
    assert queue.count_unacked() == len(model) and queue.head == sent


def test_size_counts_as_well_as_number():
    queue = OutgoingQueue(100, most_octets=1000)
    text = b"<message><body>" + b"x" * 400 + b"</body></message>"
    assert [queue.push(0.0, text) for _ in range(3)] == [False, False, True]
    assert queue.exceeds() and not queue.exceeds(2) and not queue.thin(drop=True)
    queue.ack(1)
    assert not queue.exceeds() and queue.octets == 2 * len(text)
    queue.take()
    queue.take()
    assert queue.take() is None and queue.octets == 0
