"""Every cell of the tables in RFC 6121 appendix A, written down a second time, row by row."""

import pytest

from prosody_py.hosts.subscriptions import (
    INBOUND,
    OUTBOUND,
    STATES,
    TYPES,
    State,
    approve_request,
    can_preapprove,
    normalize,
)

NAMES = {
    "None": State("none"), "None+Out": State("none", True), "None+In": State("none", False, True),
    "None+Out+In": State("none", True, True), "To": State("to"), "To+In": State("to", False, True),
    "From": State("from"), "From+Out": State("from", True), "Both": State("both"),
}

# State: then "goes on" (+) or not (-) and the new state ("=" for the same), for
# subscribe, unsubscribe, subscribed, unsubscribed.
SENT = """
None         +None+Out     +=        -=         -=
None+Out     +=            +None     -=         -=
None+In      +None+Out+In  +=        +From      +None
None+Out+In  +=            +None+In  +From+Out  +None+Out
To           +=            +None     -=         -=
To+In        +=            +None+In  +Both      +To
From         +From+Out     +=        -=         +None
From+Out     +=            +From     -=         +None+Out
Both         +=            +From     -=         +To
"""
RECEIVED = """
None         +None+In      -=         -=      -=
None+Out     +None+Out+In  -=         +To     +None
None+In      -=            +None      -=      -=
None+Out+In  -=            +None+Out  +To+In  +None+In
To           +To+In        -=         -=      +None
To+In        -=            +To        -=      +None+In
From         -=            +None      -=      -=
From+Out     -=            +None+Out  +Both   +From
Both         -=            +To        -=      +From
"""


def cells(text):
    for line in text.strip().splitlines():
        name, *row = line.split()
        for type, cell in zip(("subscribe", "unsubscribe", "subscribed", "unsubscribed"), row):
            new = name if cell[1:] == "=" else cell[1:]
            yield name, type, cell[0] == "+", new


@pytest.mark.parametrize(("state", "type", "goes_on", "new"), list(cells(SENT)))
def test_what_a_user_sends_moves_the_subscription_as_in_appendix_a2(state, type, goes_on, new):
    assert OUTBOUND[type][NAMES[state]] == (goes_on, NAMES[new])


@pytest.mark.parametrize(("state", "type", "goes_on", "new"), list(cells(RECEIVED)))
def test_what_a_contact_sends_moves_the_subscription_as_in_appendix_a3(state, type, goes_on, new):
    assert INBOUND[type][NAMES[state]] == (goes_on, NAMES[new])


def test_the_tables_have_a_row_for_every_state_and_lead_only_to_states():
    for table in (OUTBOUND, INBOUND):
        assert tuple(table) == TYPES
        for rows in table.values():
            assert tuple(rows) == STATES
            assert {move.state for move in rows.values()} <= set(STATES)


@pytest.mark.parametrize("name", NAMES)
def test_an_approval_in_advance_is_possible_where_nothing_is_granted_or_asked(name):
    assert can_preapprove(NAMES[name]) == (name in ("None", "None+Out", "To"))


@pytest.mark.parametrize(("name", "after"), [
    ("None", "From"), ("None+Out", "From+Out"), ("To", "Both")])
def test_a_request_approved_in_advance_is_granted_at_once(name, after):
    assert approve_request(NAMES[name]) == NAMES[after]


def test_stored_requests_that_contradict_the_subscription_do_not_count():
    assert normalize(State("both", True, True)) == State("both")
    assert normalize(State("to", True, True)) == State("to", False, True)
    assert normalize(State("from", True, True)) == State("from", True, False)
