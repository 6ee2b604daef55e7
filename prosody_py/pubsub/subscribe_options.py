"""The options of a subscription (XEP-0060 section 6.3): those that this service has.

They are kept under their names on the wire, as in Prosody's stores. What a service cannot do it
does not offer: without timers there are neither leases nor digests, without knowing who is online
nothing depends on presence, without summaries there is no text beside a payload.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import SUBSCRIBE_OPTIONS
from prosody_py.pubsub.setup import Setup
from prosody_py.xmpp.dataforms import Field, Form, FormError, form_type
from prosody_py.xmpp.datetime import format_datetime, parse_datetime
from prosody_py.xmpp.stanza import Stanza

DELIVER, BODY = "pubsub#deliver", "pubsub#include_body"
EXPIRE, SHOWS = "pubsub#expire", "pubsub#show-values"
TYPE, DEPTH = "pubsub#subscription_type", "pubsub#subscription_depth"
TYPES, MAX_DEPTH = ("items", "nodes", "all"), 1000
DIGEST, FREQUENCY = "pubsub#digest", "pubsub#digest_frequency"
PRESENCE = "presence"  # a subscription that lasts as long as its subscriber is online (12.4)
STATES = ("chat", "online", "away", "xa", "dnd")
A_DAY = 86_400_000  # milliseconds


def wants_delivery(options: Any) -> bool:
    """Whether the options of a subscription allow notifications."""
    return not isinstance(options, dict) or options.get(DELIVER) is not False


def lease_end(options: Any) -> float | None:
    """Return when a subscription ends, in seconds since 1970, None if at no certain time."""
    text = options.get(EXPIRE) if isinstance(options, dict) else None
    return None if text in (None, PRESENCE) or not isinstance(text, str) else parse_datetime(text)


def is_temporary(options: Any) -> bool:
    """Whether a subscription ends when its subscriber goes offline."""
    return isinstance(options, dict) and options.get(EXPIRE) == PRESENCE


def essence(options: Any) -> dict[str, Any]:
    """Return what tells two subscriptions of one address apart: all but when they end."""
    given = options if isinstance(options, dict) else {}
    return {name: value for name, value in given.items() if name != EXPIRE
            and (name, value) not in ((DELIVER, True), (BODY, False), (DIGEST, False), (SHOWS, []),
                                      (TYPE, "nodes"), (DEPTH, 1))}


@cache
def _form(body: bool, timers: bool, shows: bool, collection: bool) -> Form:
    fields: list[Field] = [
        {"name": "FORM_TYPE", "type": "hidden", "value": SUBSCRIBE_OPTIONS},
        {"name": DELIVER, "type": "boolean", "value": True, "label": "Enable delivery?"}]
    if collection:
        fields += [
            {"name": TYPE, "type": "list-single", "options": TYPES, "value": "nodes",
             "label": "Receive notifications of items, of nodes, or of both"},
            {"name": DEPTH, "value": 1, "label": "How far below the collection, or `all`"}]
    elif timers:
        fields += [
            {"name": DIGEST, "type": "boolean", "value": False,
             "label": "Receive digest notifications?"},
            {"name": FREQUENCY, "datatype": "xs:integer", "range_min": 1000,
             "range_max": 30 * A_DAY,
             "label": "Milliseconds between two digests; a day if nothing is said"}]
    if timers or shows:
        ways = ["a date with time"] * timers + ["`presence`: when you go offline"] * shows
        fields.append({"name": EXPIRE, "label": f"When it ends ({', or '.join(ways)})"})
    if body:
        fields.append({"name": BODY, "type": "boolean", "value": False,
                       "label": "Receive message body in addition to payload?"})
    if shows:
        fields.append({"name": SHOWS, "type": "list-multi", "options": STATES,
                       "label": "Receive notifications only in these states of presence"})
    return Form(fields)


def _form_of(setup: Setup, collection: bool) -> Form:
    return _form(setup.summary is not None, setup.add_timer is not None, setup.shows is not None,
                 collection)


def form(setup: Setup, options: Any, type: str = "form", collection: bool = False) -> Stanza:
    """Return the <x/> that shows the options of a subscription, to a collection or a leaf."""
    return _form_of(setup, collection).element(options if isinstance(options, dict) else {}, type)


def read(setup: Setup, filled_in: Stanza | None, current: Any = True,
         collection: bool = False) -> dict[str, Any]:
    """Return the options of a submitted form; raises PubsubError "invalid-options"."""
    if filled_in is None or form_type(filled_in) not in (SUBSCRIBE_OPTIONS, None):
        raise PubsubError("invalid-options", "These are no options of a subscription")
    kept = current if isinstance(current, dict) else None
    try:
        options = _form_of(setup, collection).read(filled_in, kept)
    except FormError as error:
        raise PubsubError("invalid-options", error.text) from None
    options.pop("FORM_TYPE", None)
    if any(show not in STATES for show in options.get(SHOWS, ())):
        raise PubsubError("invalid-options", f"{SHOWS} is some of " + ", ".join(STATES))
    if SHOWS in options:
        options[SHOWS] = [show for show in STATES if show in options[SHOWS]]
    _check_reach(options)
    if not options.get(EXPIRE):
        options.pop(EXPIRE, None)
    elif kept is None or options[EXPIRE] != kept.get(EXPIRE):
        options[EXPIRE] = _lease(setup, options[EXPIRE])
    return options


def _check_reach(options: dict[str, Any]) -> None:
    if options.get(TYPE) not in (None, *TYPES):
        raise PubsubError("invalid-options", f"{TYPE} is one of " + ", ".join(TYPES))
    depth = str(options.get(DEPTH, "all"))
    if depth != "all":
        if not (depth.isascii() and depth.isdigit()) or len(depth) > 9:
            raise PubsubError("invalid-options", f"{DEPTH} is a number from 0 up, or `all`")
        options[DEPTH] = min(int(depth), MAX_DEPTH)


def _lease(setup: Setup, text: str) -> str:
    """Return when a lease ends that somebody asks for: perhaps earlier than wanted (12.18)."""
    if text == PRESENCE and setup.shows is not None:
        return PRESENCE
    now, end = time.time(), parse_datetime(text)
    if end is None or end <= now or setup.add_timer is None:
        raise PubsubError("invalid-options", f"{EXPIRE} is a date with time that is still to come")
    return format_datetime(min(end, now + setup.max_lease) if setup.max_lease else end)
