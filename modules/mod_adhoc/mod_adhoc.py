"""XEP-0050: Ad-Hoc Commands of the host.

Three kinds of commands: items "adhoc" and "adhoc-provider" of modules in Lua (made with
`module:require "adhoc".new`), the same of modules in Python (prosody_py.api.adhoc), and those of
the registry (prosody_py.api.commands), which the shell has too (`registry_commands`).

Data and owner: `module.commands` maps nodes to items and follows them as they come and go;
`module.steps` are the executions that wait for their next step (`executions`): a bounded number
for each account and in total, each forgotten after a time without a step, kept over a reload.
`stage` takes one step. What fails: the errors of section 4.6, as StanzaError with their specific
condition. A session's id is signed, so one that has ended (session-expired) is told from one that
was never given to this account for this command (bad-sessionid) without a list of all that were.

Answers are in English. A client's language is no reason to refuse (clients name theirs in all they
send); only one that is no language tag is a <bad-locale/>.
"""

from __future__ import annotations

from prosody_py.api import Options, StanzaError, hook, integer, period, stanza
from prosody_py.api.adhoc import XMLNS

from .executions import Executions
from .permissions import PERMISSIONS, may_run, refuse
from .registry_commands import command_of, offered
from .stage import take_step

DATA = "jabber:x:data"
FEATURES = (XMLNS,)
KEYS = ("adhoc", "adhoc-provider")


class Config(Options):
    """How many executions may wait for their next step, and how long."""

    adhoc_max_sessions = integer(
        1000, min=1, max=1_000_000, doc="Commands of all accounts together that may wait for their "
        "next step; the oldest is given up.")
    adhoc_max_sessions_per_user = integer(
        10, min=1, max=1000, doc="Commands of one account that may wait for their next step; its "
        "oldest is given up.")
    adhoc_session_timeout = period("10 minutes", min="1 second", doc="How long a command waits for "
                                   "its next step.")


def load(module):
    """Follow the commands of the host's modules."""
    module.commands = {}
    module.steps = Executions(module)
    for key in KEYS:
        module.handle_items(key, lambda event: added(module, event),
                            lambda event: removed(module, event))


def save(module):
    """Keep what waits for its next step."""
    return module.steps.waiting


def restore(module, waiting):
    """Take over what waits for its next step."""
    module.steps.take_over(waiting)


def value_of(item, name):
    """Return a field of an item, which is an object, a dict or a Lua table."""
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def added(module, event) -> None:
    """Note a command."""
    item = event.item
    node, permission = value_of(item, "node"), value_of(item, "permission")
    if not node or not callable(value_of(item, "handler")):
        module.log("error", "mod_%s offers a command without a node or a handler",
                   event.source.name)
        return
    if (permission or "user") not in PERMISSIONS:
        module.log("error", "The command %s has the permission %r, which does not exist; nobody "
                   "can run it", node, permission)
    module.commands[node] = Offer(item)


def removed(module, event) -> None:
    """Forget a command."""
    node = value_of(event.item, "node")
    known = module.commands.get(node)
    if known is not None and known.item is event.item:
        del module.commands[node]


class Offer:
    """An item with a command: `item` goes to its handler as it is."""

    def __init__(self, item):
        self.item = item
        self.node = value_of(item, "node")
        self.name = value_of(item, "name") or self.node
        self.permission = value_of(item, "permission") or "user"
        self.handler = value_of(item, "handler")


def find(module, node, event):
    """Return the command of a node, None when there is none for the sender to know of."""
    return module.commands.get(node) or command_of(module, node, event)


# -- service discovery ---------------------------------------------------------------------


@hook("host-disco-info-node")
def tell_about(module, event):
    """Tell about the list of commands, and about one command (section 2.2)."""
    if event.node == XMLNS:
        event.reply.tag("identity", category="automation", type="command-list",
                        name="Ad-Hoc Commands").up()
        event.exists = True
        return None
    command = find(module, event.node, event)
    if command is None:
        return None
    if not may_run(module, command, event):
        raise refuse()
    event.reply.tag("identity", category="automation", type="command-node",
                    name=command.name).up()
    event.reply.tag("feature", var=XMLNS).up().tag("feature", var=DATA).up()
    event.exists = True
    return None


@hook("host-disco-items-node")
def list_commands(module, event):
    """List the commands that the sender may run."""
    if event.node != XMLNS:
        return
    found = [command for _node, command in sorted(module.commands.items())
             if may_run(module, command, event)]
    for command in [*found, *offered(module, event)]:
        event.reply.tag("item", jid=module.host, node=command.node, name=command.name).up()
    event.exists = True


# -- execution -----------------------------------------------------------------------------


@hook(f"iq-set/host/{XMLNS}:command", priority=500)
def execute(module, event):
    """Take one step of a command that is known here."""
    node = event.stanza.tags[0].attr.get("node")
    command = find(module, node, event) if node else None
    if node and command is None:
        return None
    try:
        if command is None:
            raise StanzaError("bad-request", "A command has a node")
        if not may_run(module, command, event):
            raise refuse()
        reply = take_step(module, command, event)
    except StanzaError as error:
        event.origin.send(error_reply(event.stanza, error))
        return True
    event.origin.send(stanza.reply(event.stanza).add_child(reply))
    return True


def error_reply(request, error):
    """Return an error that says which execution has failed, as in the examples of section 2.4.

    Clients find what they have begun by the <command/> in it.
    """
    reply = stanza.error_reply(request, error)
    command = request.tags[0]
    known = {name: command.attr.get(name) for name in ("xmlns", "node", "sessionid", "action")}
    reply.children.insert(0, stanza.stanza("command", known))
    return reply.reset()


@hook(f"iq-set/host/{XMLNS}:command", priority=-10)
def no_such_command(module, event):
    """Nobody knows this node."""
    raise StanzaError("item-not-found", "There is no such command")
