"""One step of an execution: check what the client wants, call the handler, make the answer."""

from __future__ import annotations

import re
from typing import Any

from prosody_py.api import Event, Stanza, StanzaError, dataforms, jid, stanza
from prosody_py.api.adhoc import XMLNS, bad

from .executions import Execution

DATA = "jabber:x:data"
ACTIONS = ("execute", "cancel", "prev", "next", "complete")
STEPS = ("prev", "next", "complete")
OVER = ("completed", "canceled", "error")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z").match


def take_step(module, command, event) -> Stanza:
    """Take the step that an iq asks for; return the <command/> of the answer.

    Raises StanzaError: the errors of section 4.6, and those of the command.
    """
    tag, who = event.stanza.tags[0], jid.bare(event.stanza.attr.get("from")) or ""
    check_language(event.stanza, tag)
    action = tag.attr.get("action") or "execute"
    if action not in ACTIONS:
        raise bad("malformed-action", f"{action!r} is not an action")
    id = tag.attr.get("sessionid")
    if id is None:
        if action in ("prev", "cancel"):
            raise bad("bad-action", f"There is nothing yet to {action}")
        execution = Execution(module.steps.new_id(who, command.node), who, command.node)
    else:
        execution = module.steps.find(id, who, command.node)
        meant = execution.default if action == "execute" else action
        if meant != "cancel" and meant not in execution.actions:
            raise bad("bad-action", f"This step cannot be answered with {action}")
        if not is_lua(command):
            action = meant
        module.steps.drop(id)  # no second step while this one is being taken
    try:
        result, state = call(command, event, tag, action, execution)
        return answer(module, command, execution, action, result, state)
    except StanzaError as error:
        if id is not None and error.extra is not None and error.extra.xmlns == XMLNS:
            module.steps.keep(execution)  # the client may do better
        raise


def check_language(request: Stanza, tag: Stanza) -> None:
    """Raise StanzaError for a language that is none."""
    language = tag.attr.get("xml:lang", request.attr.get("xml:lang"))
    if language and not _LANGUAGE(language):
        raise bad("bad-locale", "This is no language")


def is_lua(command) -> bool:
    """Whether a command's handler is in Lua; such get the action as it was sent."""
    return hasattr(command.handler, "border")


def call(command, event, tag: Stanza, action: str, execution: Execution) -> tuple[Any, Any]:
    """Call the handler of a command; return its result and the state for the next step."""
    request = event.stanza
    data = Event(**{"to": request.attr.get("to"), "from": request.attr.get("from"),
                    "action": action, "form": tag.get_child("x", DATA),
                    "sessionid": execution.id, "origin": event.origin, "stanza": request})
    found = command.handler(command.item, data, execution.state)
    result, state = (*found, None, None)[:2] if isinstance(found, tuple) else (found, None)
    if not hasattr(result, "get"):
        raise TypeError(f"the command {command.node} has returned {result!r}, not a table")
    return result, state


def answer(module, command, execution: Execution, action: str, result: Any,
           state: Any) -> Stanza:
    """Note what comes next and return the <command/> of the answer; raises StanzaError."""
    status = result.get("status")
    if action == "cancel" and status != "error":
        status = "canceled"  # section 2.4.3: it always succeeds
    if status == "error":
        raise error_of(result.get("error"))
    reply = stanza.stanza("command", {"xmlns": XMLNS, "xml:lang": "en"}, node=command.node,
                          sessionid=execution.id, status=status if status in OVER else "executing")
    if status not in OVER:
        allowed, default = actions_of(module, command, result.get("actions"))
        execution.state, execution.default = state, default
        execution.actions = frozenset(allowed)
        module.steps.keep(execution)
        reply.tag("actions", execute=default)
        for step in allowed:
            reply.tag(step).up()
        reply.up()
    fill(reply, result)
    return reply.reset()


def actions_of(module, command, given: Any) -> tuple[list[str], str]:
    """Return the actions that a step may be answered with, and what "execute" means."""
    if given is None:
        return ["complete"], "complete"
    if hasattr(given, "keys"):  # a Lua table: a list with one more field
        names = [given.get(number) for number in range(1, len(given) + 1)]
        default = given.get("default")
    else:
        names, default = list(given), next(iter(given), None)
    for name in names:
        if name not in STEPS:
            module.log("error", "The command %s offers %r, which is no action", command.node, name)
    allowed = [name for name in STEPS if name in names] or ["complete"]
    if default not in allowed:
        default = "next" if "next" in allowed else allowed[-1]
    return allowed, default


def error_of(error: Any) -> StanzaError:
    """Return the error that a command has ended with."""
    if isinstance(error, StanzaError):
        return error
    get = getattr(error, "get", None)
    if get is None:
        return StanzaError("internal-server-error", None if error is None else str(error))
    text = get("text") or get("message") or get(1)
    return StanzaError(get("condition") or "undefined-condition", text and str(text),
                       type=get("type"), extra=get("extra_tag"))


def fill(reply: Stanza, result: Any) -> None:
    """Add what the client is shown: forms, other elements, notes."""
    for key, kind in (("form", "form"), ("result", "result")):
        content = result.get(key)
        if content is not None:
            reply.add_child(form_element(content, kind))
    if (other := result.get("other")) is not None:
        reply.add_child(other)
    for kind in ("info", "warn", "error"):
        text = result.get(kind)
        if text is not None:
            add_note(reply, kind, text)
    notes = result.get("notes")
    for kind, text in notes if isinstance(notes, list | tuple) else ():
        add_note(reply, kind, text)


def add_note(reply: Stanza, kind: str, text: Any) -> None:
    """Add a <note/>."""
    if hasattr(text, "get"):  # Prosody's commands may give a table
        text = text.get("message") or text.get("text")
    reply.text_tag("note", str(text), type=kind)


def form_element(content: Any, kind: str) -> Stanza:
    """Return the <x/> of a form of either language, filled in with its values."""
    if isinstance(content, Stanza):
        return content
    layout, values = content, None
    if hasattr(content, "get") and content.get("layout") is not None:
        layout, values = content.get("layout"), content.get("values")
    if isinstance(layout, dataforms.Form):
        return layout.element(values, kind)
    return layout.form(layout, values, kind)
