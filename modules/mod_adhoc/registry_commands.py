"""The commands of the registry as ad-hoc commands: a form for the arguments, then the result.

The node of "user create" is urn:prosody-py:commands#user:create. What takes an administrator is
offered where mod_admin_adhoc (or whoever else) has granted "adhoc:administration"; what goes on
until its reader leaves is not. Nothing is kept: the registry is asked anew each time.
"""

from __future__ import annotations

from prosody_py.api import StanzaError, adhoc
from prosody_py.api.commands import Call, Command, CommandError, Registry, access, forms, running
from prosody_py.api.commands.command import EVERYWHERE
from prosody_py.api.role_definitions import roles_below

PREFIX = "urn:prosody-py:commands#"
ADMINISTRATION = "adhoc:administration"
MAX_LINES = 1000  # of what a command says meanwhile
MAX_ROWS = 1000   # of a table; a stanza has its limits


class Sender:
    """Who has sent a request, and what that is found to be allowed; for one request."""

    def __init__(self, module, event):
        self.server, self.session = module.server, event.origin
        self.who = event.stanza.attr.get("from") or ""
        self.may_administer = module.may(ADMINISTRATION, event, True)
        self._roles: dict[str, str] = {}

    def role_on(self, host: str) -> str:
        """Return the sender's role on a host, "*" for the whole server."""
        if host not in self._roles:
            self._roles[host] = access.role_on(self.server, host, self.who, self.session)
        return self._roles[host]


class RegistryCommand:
    """A command of the registry, as mod_adhoc knows commands."""

    permission = "registry"

    def __init__(self, module, command: Command, sender: Sender):
        self.module, self.command, self.sender = module, command, sender
        self.node = PREFIX + ":".join(command.words)
        self.name = f"{' '.join(command.words)}: {command.help.rstrip('.')}"
        self.item = self

    def may_run(self) -> bool:
        """Whether the sender may use it here, for some arguments at least."""
        module, command, sender = self.module, self.command, self.sender
        if not sender.may_administer and "prosody:admin" in (
                roles_below(module.server, module.host, command.role) or ()):
            return False
        places = [EVERYWHERE] if command.everywhere else [module.host, EVERYWHERE]
        if not command.host_selector and EVERYWHERE in command.handlers:
            places = [EVERYWHERE]
        return any(access.may_run(module.server, command, place, sender.role_on(place))
                   for place in places)

    def handler(self, _item, data, state):
        """Show the form, or run the command."""
        if data.action == "cancel":
            return {"status": "canceled"}, None
        form = forms.form_of(self.command, self.hosts(data))
        if form is not None and state is None and data.form is None:
            return {"status": "executing", "form": form, "actions": ["complete"]}, "asked"
        return adhoc.completed(self.run(data, form)), None

    def hosts(self, data):
        """Return the hosts that the sender may choose from; others are nobody's business."""
        server, own = self.module.server, self.module.host
        if not access.administers_all(server, getattr(data, "from"), data.origin):
            return [own]
        return [own, *(host for host in server.hosts if host != own)]

    def run(self, data, form):
        """Run the command with what the form says; raises StanzaError."""
        try:
            return self.result(data, self.values(data, form))
        except CommandError as error:
            if error.condition == "bad-request":
                raise adhoc.bad("bad-payload", str(error)) from None
            if error.condition is not None:
                raise StanzaError(error.condition, str(error)) from None
            return {"error": str(error)}

    def values(self, data, form):
        """Return the arguments; raises CommandError, StanzaError."""
        if form is None:
            return self.command.parse([])
        if data.form is None:
            raise adhoc.bad("bad-payload", "The form is missing")
        return forms.read(self.command, form, data.form)

    def result(self, data, values):
        """Check, run, and return what there is to show."""
        module, command, who = self.module, self.command, getattr(data, "from")
        access.check(module.server, command, values, who, module.host, data.origin)
        module.log("info", "%s: %s", who, command.shown_values(values))
        lines: list[str] = []

        def say(message):
            if len(lines) < MAX_LINES:
                lines.append(message["line"])

        call = Call(module.server, say, jid=who, host=module.host, origin=data.origin)
        call.registry = Registry.of(module.server)
        answer = running.run(command, values, call)
        text = "\n".join(line for line in (*lines, answer.get("text")) if line)
        if "rows" not in answer:
            return {"info": text or "Done"}
        shown = {"info": text} if text else {}
        if len(rows := answer["rows"]) > MAX_ROWS:
            shown["warn"] = f"These are the first {MAX_ROWS} of {len(rows)}"
            answer = {**answer, "rows": rows[:MAX_ROWS]}
        return {**shown, "result": forms.result_of(answer, " ".join(command.words))}


def is_offered(module, command: Command) -> bool:
    """Whether a command is one for this host to run over XMPP."""
    return len(command.words) > 1 and not command.streams and (
        EVERYWHERE in command.handlers or module.host in command.handlers)


def command_of(module, node: str, event) -> RegistryCommand | None:
    """Return the command of a node."""
    if not node.startswith(PREFIX):
        return None
    command = Registry.of(module.server).commands.get(tuple(node[len(PREFIX):].split(":", 1)))
    if command is None or not is_offered(module, command):
        return None
    return RegistryCommand(module, command, Sender(module, event))


def offered(module, event) -> list[RegistryCommand]:
    """Return the commands that the sender may run, in the order of their words."""
    sender = Sender(module, event)
    commands = [RegistryCommand(module, command, sender) for _words, command in sorted(
        Registry.of(module.server).commands.items()) if is_offered(module, command)]
    return [command for command in commands if command.may_run()]
