"""The administration shell: commands by words, answered over the admin socket.

Modules add commands of their own as items "shell-command": {section, name, desc, args=[{name,
type}], handler, host_selector, flags, section_desc}, in Prosody's form. The handler is called with
a `Call` (prosody_py.api.commands) and the arguments, and returns a text, a Table, or as in Prosody
(ok, text). Who may ask is the socket's business.
"""

from __future__ import annotations

from prosody_py.api import hook
from prosody_py.api.commands import Call, CommandError, Registry, running
from prosody_py.app.shell.protocol import ProtocolError, words_of
from prosody_py.app.shell.suggestions import suggest

GLOBAL = True
DEPENDS = ("admin_socket",)


@hook("admin-request")
def answer(module, event):
    """Answer a question about commands, or run one."""
    question = event.question
    try:
        if "words" in question:
            return run(module, event, words_of(question))
        if question.get("describe"):
            return {"ok": True, "commands": Registry.of(module.server).describe()}
        if isinstance(question.get("values"), str):
            return {"ok": True, "values": suggest(module.server, question["values"])}
    except (CommandError, ProtocolError) as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:
        module.log("error", "Error in a shell command", exc_info=error)
        return {"ok": False, "error": f"{type(error).__name__}: {error} (more is in the log)"}
    return None


def run(module, event, words):
    """Run the command that the words are, and return its answer."""
    registry = Registry.of(module.server)
    command, rest = registry.find(words)
    module.log("info", "User %d: %s", event.user, command.shown(rest))
    values = command.parse(rest)
    call = Call(module.server, event.say, event.user)
    call.registry = registry
    return {"ok": True, **running.run(command, values, call)}
