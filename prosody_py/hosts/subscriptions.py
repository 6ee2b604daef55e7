"""The states of a presence subscription and how stanzas change them (RFC 6121 appendix A).

The tables are those of the appendix, one row for each of the nine states. `OUTBOUND` is for what
a user sends to a contact, `INBOUND` for what comes from a contact. A row has the state after the
stanza, and whether the stanza goes on: outbound to the contact, inbound to the user's clients.
"""

from __future__ import annotations

from typing import NamedTuple


class State(NamedTuple):
    """A user's view of one contact.

    `subscription` is "none", "to", "from" or "both"; `pending_out` says that the contact has not
    answered the user's request, `pending_in` that the user has not answered the contact's.
    """

    subscription: str
    pending_out: bool = False
    pending_in: bool = False

    @property
    def sees_contact(self) -> bool:
        """Whether the user gets the contact's presence."""
        return self.subscription in ("to", "both")

    @property
    def seen_by_contact(self) -> bool:
        """Whether the contact gets the user's presence."""
        return self.subscription in ("from", "both")


class Move(NamedTuple):
    """What a stanza does in one state: whether it goes on, and the state after it."""

    goes_on: bool
    state: State


NONE = State("none")
NONE_OUT = State("none", pending_out=True)
NONE_IN = State("none", pending_in=True)
NONE_OUT_IN = State("none", True, True)
TO = State("to")
TO_IN = State("to", pending_in=True)
FROM = State("from")
FROM_OUT = State("from", pending_out=True)
BOTH = State("both")

STATES = (NONE, NONE_OUT, NONE_IN, NONE_OUT_IN, TO, TO_IN, FROM, FROM_OUT, BOTH)
TYPES = ("subscribe", "unsubscribe", "subscribed", "unsubscribed")

_GO, _STAY = True, False
Table = dict[str, dict[State, Move]]

OUTBOUND: Table = {
    "subscribe": {  # A.2.1
        NONE: Move(_GO, NONE_OUT),
        NONE_OUT: Move(_GO, NONE_OUT),
        NONE_IN: Move(_GO, NONE_OUT_IN),
        NONE_OUT_IN: Move(_GO, NONE_OUT_IN),
        TO: Move(_GO, TO),
        TO_IN: Move(_GO, TO_IN),
        FROM: Move(_GO, FROM_OUT),
        FROM_OUT: Move(_GO, FROM_OUT),
        BOTH: Move(_GO, BOTH),
    },
    "unsubscribe": {  # A.2.2
        NONE: Move(_GO, NONE),
        NONE_OUT: Move(_GO, NONE),
        NONE_IN: Move(_GO, NONE_IN),
        NONE_OUT_IN: Move(_GO, NONE_IN),
        TO: Move(_GO, NONE),
        TO_IN: Move(_GO, NONE_IN),
        FROM: Move(_GO, FROM),
        FROM_OUT: Move(_GO, FROM),
        BOTH: Move(_GO, FROM),
    },
    "subscribed": {  # A.2.3; for the pre-approval see `can_preapprove`
        NONE: Move(_STAY, NONE),
        NONE_OUT: Move(_STAY, NONE_OUT),
        NONE_IN: Move(_GO, FROM),
        NONE_OUT_IN: Move(_GO, FROM_OUT),
        TO: Move(_STAY, TO),
        TO_IN: Move(_GO, BOTH),
        FROM: Move(_STAY, FROM),
        FROM_OUT: Move(_STAY, FROM_OUT),
        BOTH: Move(_STAY, BOTH),
    },
    "unsubscribed": {  # A.2.4
        NONE: Move(_STAY, NONE),
        NONE_OUT: Move(_STAY, NONE_OUT),
        NONE_IN: Move(_GO, NONE),
        NONE_OUT_IN: Move(_GO, NONE_OUT),
        TO: Move(_STAY, TO),
        TO_IN: Move(_GO, TO),
        FROM: Move(_GO, NONE),
        FROM_OUT: Move(_GO, NONE_OUT),
        BOTH: Move(_GO, TO),
    },
}

INBOUND: Table = {
    "subscribe": {  # A.3.1; a subscribed or pre-approved contact is answered by the server
        NONE: Move(_GO, NONE_IN),
        NONE_OUT: Move(_GO, NONE_OUT_IN),
        NONE_IN: Move(_STAY, NONE_IN),
        NONE_OUT_IN: Move(_STAY, NONE_OUT_IN),
        TO: Move(_GO, TO_IN),
        TO_IN: Move(_STAY, TO_IN),
        FROM: Move(_STAY, FROM),
        FROM_OUT: Move(_STAY, FROM_OUT),
        BOTH: Move(_STAY, BOTH),
    },
    "unsubscribe": {  # A.3.2
        NONE: Move(_STAY, NONE),
        NONE_OUT: Move(_STAY, NONE_OUT),
        NONE_IN: Move(_GO, NONE),
        NONE_OUT_IN: Move(_GO, NONE_OUT),
        TO: Move(_STAY, TO),
        TO_IN: Move(_GO, TO),
        FROM: Move(_GO, NONE),
        FROM_OUT: Move(_GO, NONE_OUT),
        BOTH: Move(_GO, TO),
    },
    "subscribed": {  # A.3.3
        NONE: Move(_STAY, NONE),
        NONE_OUT: Move(_GO, TO),
        NONE_IN: Move(_STAY, NONE_IN),
        NONE_OUT_IN: Move(_GO, TO_IN),
        TO: Move(_STAY, TO),
        TO_IN: Move(_STAY, TO_IN),
        FROM: Move(_STAY, FROM),
        FROM_OUT: Move(_GO, BOTH),
        BOTH: Move(_STAY, BOTH),
    },
    "unsubscribed": {  # A.3.4
        NONE: Move(_STAY, NONE),
        NONE_OUT: Move(_GO, NONE),
        NONE_IN: Move(_STAY, NONE_IN),
        NONE_OUT_IN: Move(_GO, NONE_IN),
        TO: Move(_GO, NONE),
        TO_IN: Move(_GO, NONE_IN),
        FROM: Move(_STAY, FROM),
        FROM_OUT: Move(_GO, FROM),
        BOTH: Move(_GO, FROM),
    },
}


def can_preapprove(state: State) -> bool:
    """Whether "subscribed" from the user approves a later request in advance (section 3.4.2)."""
    return not state.pending_in and not state.seen_by_contact


def approve_request(state: State) -> State:
    """Return the state after a request that the user has approved in advance (section 3.4.2)."""
    return OUTBOUND["subscribed"][INBOUND["subscribe"][state].state].state


def normalize(state: State) -> State:
    """Return the state of the tables for one that stored data may claim.

    A request that waits while the subscription exists already is none.
    """
    return State(state.subscription, state.pending_out and not state.sees_contact,
                 state.pending_in and not state.seen_by_contact)
