"""The last word on a stanza: errors for what nobody handled and for what went wrong.

An iq of type get or set is always answered (RFC 6120 section 8.2.3), whatever handlers do.
"""

from __future__ import annotations

import logging

from prosody_py.events.bus import Event
from prosody_py.storage.interface import CountedTooMuch, StorageError
from prosody_py.xmpp.builders import error_reply
from prosody_py.xmpp.errors import STANZA_ERROR_TYPES, StanzaError

log = logging.getLogger("router")


def answer_error(origin, stanza, condition: str, text: str | None = None, *,
                 type: str | None = None) -> None:
    """Send an error for `stanza` to its sender, unless an error or a result would be answered."""
    kind = stanza.attr.get("type")
    if kind == "error" or (stanza.name == "iq" and kind == "result"):
        return
    bounce(origin, stanza, StanzaError(condition, text, type=type))


def bounce(origin, stanza, error: StanzaError) -> None:
    """Send an error for `stanza` to its sender; tell modules about one for a client's message."""
    reply = error_reply(stanza, error)
    origin.send(reply)
    if stanza.name == "message" and getattr(origin, "full_jid", None) is not None:
        events = origin.host_object.events
        if "message-bounced" in events.index:
            events.fire_event("message-bounced", Event(session=origin, stanza=reply))


def unhandled(origin, stanza) -> None:
    """Deal with an element that no handler took (RFC 6120 section 8.4)."""
    if stanza.attr.get("xmlns") is None and stanza.name in ("iq", "message", "presence"):
        if origin.type in ("c2s_unauthed", "c2s_unbound"):
            if stanza.name == "iq" and origin.type == "c2s_unbound":
                answer_error(origin, stanza, "service-unavailable")
            else:
                origin.close("not-authorized",
                             "Stanzas are not allowed before authentication and binding")
        elif stanza.name != "presence":
            answer_error(origin, stanza, "service-unavailable")
        return
    origin.close("unsupported-stanza-type", f"<{stanza.name}> is not known here")


def handler_failed(handler, name: str, data, error: Exception) -> bool | None:
    """Keep a handler's error with it (the bus calls this).

    A StanzaError is an answer: the handler raised it on purpose. Any other error is logged with
    the module, the event and the stanza's id, counted, and an iq gets internal-server-error or,
    when a store has failed, the condition that the store gives. For other events the chain goes
    on as if the handler had not been there.
    """
    stanza = getattr(data, "stanza", None)
    origin = getattr(data, "origin", None)
    is_stanza = stanza is not None and origin is not None
    if isinstance(error, CountedTooMuch):  # the user's doing, and no failure
        if not is_stanza:
            log.info("A handler of event %s could not store something: %s", name, error)
            return None
        error = StanzaError(error.condition, str(error), type="wait")
    if isinstance(error, StanzaError) and is_stanza:
        if stanza.attr.get("type") not in ("error", "result"):
            bounce(origin, stanza, error)
        return True
    module = module_of(handler)
    where = getattr(error, "lua_traceback", None)
    log.error("Error in a handler of event %s in module %s%s%s: %s", name,
              getattr(module, "name", "?"),
              f" on {module.host}" if module is not None else "",
              f" (stanza id {stanza.attr.get('id')!r})" if is_stanza else "",
              f"{error}" if where is not None else f"{type(error).__name__}: {error}",
              exc_info=error if where is None else None)
    if where:
        # Under the module's name, so that the option log can ask for it alone.
        (log if module is None else logging.getLogger(f"mod_{module.name}")).debug("%s", where)
    if module is not None:
        module.count_error(name)
    if is_stanza and stanza.name == "iq" and stanza.attr.get("type") in ("get", "set"):
        condition = error.condition if isinstance(error, StorageError) else None
        if condition not in STANZA_ERROR_TYPES or condition == "internal-server-error":
            answer_error(origin, stanza, "internal-server-error", type="wait")
        else:
            answer_error(origin, stanza, condition)
        return True
    return None


def module_of(handler):
    """Return the module that a handler belongs to, None for the core's own."""
    module = getattr(handler, "module", None)
    if module is None:
        args = getattr(handler, "args", ())  # functools.partial(function, module)
        module = args[0] if args else None
    return module if hasattr(module, "count_error") else None
