"""The administration shell: commands by words, answered over the admin socket.

Modules add commands of their own as items "shell-command": {section, name, desc, args=[{name,
type}], handler, host_selector, flags, section_desc}, in Prosody's form. The handler is called with
a `Call` (prosody_py.app.shell.registry) and the arguments, and returns a text, a Table, or as in
Prosody (ok, text). Who may ask is the socket's business.
"""

from __future__ import annotations

from prosody_py.api import hook
from prosody_py.api.errors import LoadError
from prosody_py.app.errors import StartupError
from prosody_py.app.shell.answers import answer_of
from prosody_py.app.shell.arguments import ShellError
from prosody_py.app.shell.items import add_items
from prosody_py.app.shell.protocol import ProtocolError, words_of
from prosody_py.app.shell.registry import Call, Registry
from prosody_py.app.shell.sections import SECTIONS
from prosody_py.app.shell.suggestions import suggest
from prosody_py.config.problems import ConfigError
from prosody_py.hosts.users import AccountError
from prosody_py.storage.interface import StorageError

GLOBAL = True
DEPENDS = ("admin_socket",)
EXPECTED = (ShellError, ProtocolError, AccountError, LoadError, StorageError, StartupError)


@hook("admin-request")
def answer(module, event):
    """Answer a question about commands, or run one."""
    question = event.question
    try:
        if "words" in question:
            return run(module, event, words_of(question))
        if question.get("describe"):
            return {"ok": True, "commands": registry_of(module.server).describe()}
        if isinstance(question.get("values"), str):
            return {"ok": True, "values": suggest(module.server, question["values"])}
    except ConfigError as error:
        problems = "\n".join(map(str, error.problems))
        return {"ok": False, "error": f"{problems}\nThe configuration cannot be used; nothing "
                                      "was changed"}
    except EXPECTED as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:
        module.log("error", "Error in a shell command", exc_info=error)
        return {"ok": False, "error": f"{type(error).__name__}: {error} (more is in the log)"}
    return None


def run(module, event, words):
    """Run the command that the words are, and return its answer."""
    registry = registry_of(module.server)
    command, rest = registry.find(words)
    module.log("info", "User %d: %s", event.user, command.shown(rest))
    values = command.parse(rest)
    call = Call(module.server, event.say, event.user)
    call.registry = registry
    return answer_of(command.handler_for(values)(call, *values))


def registry_of(server):
    """Return the commands that there are now; modules come and go."""
    registry = Registry(SECTIONS)
    add_items(registry, server)
    return registry
