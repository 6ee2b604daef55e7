"""Ad-hoc commands (XEP-0050) of modules written in Python: items "adhoc".

    from prosody_py.api import adhoc

    def load(module):
        module.add_item("adhoc", adhoc.simple("Uptime", "uptime", lambda data: "3 days", "any"))

`permission` is "any" (everybody), "local_user" (accounts of the host), "admin" (administrators of
the host), "global_admin" (of the whole server) or "check" (`module.may("adhoc:" + node)`).

A handler is `handler(command, data, state) -> (result, state)`, as in Prosody. `data` has `to`,
`from`, `action` ("execute", "next", "prev", "complete", "cancel"), `form` (the <x/> or None),
`origin` and `stanza`; `state` is what the handler has returned for the step before, None in the
first. The result is a dict: `status` ("executing", "completed", "canceled", "error"), and what the
client is shown: `info`, `warn`, `error` (texts; with the status "error" a StanzaError), `notes`
(pairs of type and text), `form`, `result` (a Form, {"layout": Form, "values": {...}} or an <x/>),
`other` (an element), `actions` ({"prev", "next", "complete"} in a list, `default` the first one).
`raise StanzaError` is an answer, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prosody_py.xmpp.builders import stanza
from prosody_py.xmpp.dataforms import Form, FormError
from prosody_py.xmpp.errors import StanzaError

XMLNS = "http://jabber.org/protocol/commands"
Handler = Callable[[Any, Any, Any], tuple[dict[str, Any], Any]]


@dataclass(eq=False)
class AdhocCommand:
    """One command: a name for people, the node, the handler, and who may run it."""

    name: str
    node: str
    handler: Handler
    permission: str = "local_user"


def bad(condition: str, text: str, general: str = "bad-request") -> StanzaError:
    """Return an error of XEP-0050 section 4.6, such as "bad-payload", with a text for people."""
    return StanzaError(general, text, extra=stanza(condition, xmlns=XMLNS))


def completed(answer: Any) -> dict[str, Any]:
    """Return the result of a command that is done: of a text, a dict or None."""
    if isinstance(answer, dict):
        return {"status": "completed", **answer}
    return {"status": "completed", **({"info": answer} if answer else {})}


def simple(name: str, node: str, function: Callable[[Any], Any],
           permission: str = "local_user") -> AdhocCommand:
    """Return a command of one step; `function(data)` returns a text, or a result (see above)."""
    def handler(_command: Any, data: Any, _state: Any) -> tuple[dict[str, Any], Any]:
        if data.action == "cancel":
            return {"status": "canceled"}, None
        return completed(function(data)), None
    return AdhocCommand(name, node, handler, permission)


def form(name: str, node: str, layout: Form | Callable[[Any], Form],
         submitted: Callable[[dict[str, Any], Any], Any], permission: str = "local_user",
         values: Callable[[Any], dict[str, Any]] | None = None) -> AdhocCommand:
    """Return a command that asks once: a form, then `submitted(fields, data)`, whose result is
    a text or a result (see above).

    `layout` is a Form, or a function of `data` that makes one. `values(data)` is what the form is
    filled in with before. A form that is not right is answered with <bad-payload/>.
    """
    def layout_for(data: Any) -> Form:
        return layout if isinstance(layout, Form) else layout(data)

    def handler(_command: Any, data: Any, state: Any) -> tuple[dict[str, Any], Any]:
        if data.action == "cancel":
            return {"status": "canceled"}, None
        if state is None and data.form is None:
            shown = {"layout": layout_for(data), "values": values(data) if values else {}}
            return {"status": "executing", "form": shown, "actions": ["complete"]}, "asked"
        if data.form is None:
            raise bad("bad-payload", "The form is missing")
        try:
            fields = layout_for(data).read(data.form)
        except FormError as error:
            raise bad("bad-payload", error.text or "The form is not right") from None
        return completed(submitted(fields, data)), None
    return AdhocCommand(name, node, handler, permission)
