"""What the commands of this folder are made of: declarations, fields, the way to the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from prosody_py.api import CommandError, StanzaError, adhoc, dataforms, jid
from prosody_py.api.commands import Call, Registry, access, running

ADMIN = "http://jabber.org/protocol/admin"
MODULES = "http://prosody.im/protocol/modules"
MAX_LINES = 1000


@dataclass(frozen=True)
class Declared:
    """A command: `function(runner, fields)`, with the form that `layout(runner)` makes."""

    node: str
    name: str
    function: Callable[[Runner, dict[str, Any]], Any]
    layout: Callable[[Runner], dataforms.Form] | None
    needs: tuple[tuple[str, str], ...]
    everywhere: bool
    accounts: bool


def declare(into: list[Declared], node: str, name: str, *fields: dict[str, Any],
            needs: Iterable[str] = (), title: str | None = None, instructions: str | None = None,
            everywhere: bool = False, accounts: bool = False,
            layout: Callable[[Runner], list[dict[str, Any]]] | None = None) -> Callable:
    """Declare a function as the command `node`; "#name" is one of XEP-0133.

    `needs` are the commands of the registry that do the work ("user create"). `layout(runner)`
    gives the fields when they depend on the host. `everywhere`: for administrators of the whole
    server; `accounts`: only on hosts with accounts.
    """
    full = ADMIN + node if node.startswith("#") else node
    kind = ADMIN if node.startswith("#") else node

    def form(runner: Runner) -> dataforms.Form:
        found = layout(runner) if layout else list(fields)
        return dataforms.Form([hidden(kind), *found], title or name, instructions)

    def note(function: Callable) -> Callable:
        words = tuple(tuple(words.split(" ", 1)) for words in needs)
        into.append(Declared(full, name, function, form if fields or layout else None, words,
                             everywhere, accounts))
        return function
    return note


class Runner:
    """One run: what the registry's commands are called with, on behalf of the sender."""

    def __init__(self, module, data):
        self.module, self.server, self.host = module, module.server, module.host
        self.data, self.who = data, getattr(data, "from")
        self.lines: list[str] = []

    def _say(self, message: dict[str, Any]) -> None:
        if len(self.lines) < MAX_LINES:
            self.lines.append(message["line"])

    def __call__(self, words: str, *values: Any) -> dict[str, Any]:
        """Run a command of the registry; None stands for what is left out. Raises CommandError.

        Returns its answer (prosody_py.api.commands.running).
        """
        registry = Registry.of(self.server)
        command, _rest = registry.find(words.split(" "))
        missing = len(command.arguments) + (command.flags is not None) - len(values)
        values = [*(argument.convert(value) if isinstance(value, str) else value for argument, value
                    in zip(command.arguments, values, strict=False)),
                  *values[len(command.arguments):], *[None] * missing]
        access.check(self.server, command, values, self.who, self.host, self.data.origin)
        self.module.log("info", "%s: %s", self.who, command.shown_values(values))
        call = Call(self.server, self._say, jid=self.who, host=self.host, origin=self.data.origin)
        call.registry = registry
        return running.run(command, values, call)

    def rows(self, words: str, *values: Any) -> list[list[Any]]:
        """Run a command that gives a table; return its rows."""
        return self(words, *values)["rows"]

    def do(self, words: str, *values: Any, done: str | None = None) -> dict[str, Any]:
        """Run a command for an answer: `done`, or its own text, or the error (section 5)."""
        try:
            answer = self(words, *values)
        except CommandError as error:
            return failed(error)
        text = "\n".join(line for line in (*self.lines, answer.get("text")) if line)
        return {"info": done or text or "Done"}

    def own(self, address: str) -> str:
        """Return the bare address of an account of this host; raises StanzaError for others."""
        bare = jid.bare(address)
        if jid.host(bare) != self.host or jid.node(bare) is None:
            raise StanzaError("not-allowed", f"{address} is not an account of {self.host}, where "
                              "this command was sent to")
        return bare

    def each(self, addresses: Iterable[str], words: str, done: str) -> dict[str, Any]:
        """Run a command for each account; return notes of what was done and what was not."""
        addresses = [self.own(address) for address in dict.fromkeys(addresses)]
        good, notes = [], []
        for address in addresses:
            try:
                self(words, address)
                good.append(address)
            except CommandError as error:
                if len(addresses) == 1:
                    return failed(error)
                notes.append(("error", str(error)))
        if good:
            notes.insert(0, ("info", f"{done}: {', '.join(good)}"))
        return {"notes": notes}


def failed(error: CommandError) -> dict[str, Any]:
    """Return the result of a command that has failed; raises StanzaError where one is named."""
    if error.condition is not None:
        raise StanzaError(error.condition, str(error)) from None
    return {"error": str(error)}


# -- fields --------------------------------------------------------------------------------


def hidden(value: str) -> dict[str, Any]:
    """Return the FORM_TYPE."""
    return {"name": "FORM_TYPE", "type": "hidden", "value": value}


def field(name: str, label: str, type: str = "text-single", **more: Any) -> dict[str, Any]:
    """Return a field."""
    return {"name": name, "label": label, "type": type, **more}


def account(label: str) -> dict[str, Any]:
    """Return the field for one account."""
    return field("accountjid", label, "jid-single", required=True)


def several(label: str) -> dict[str, Any]:
    """Return the field for several accounts."""
    return field("accountjids", label, "jid-multi", required=True)


def result(values: dict[str, Any], *fields: dict[str, Any], title: str | None = None,
           kind: str = ADMIN) -> dict[str, Any]:
    """Return the result of a command that shows a form."""
    return {"result": {"layout": dataforms.Form([hidden(kind), *fields], title),
                       "values": values}}


def wrong(text: str) -> StanzaError:
    """Return the error for a form that was filled in wrongly."""
    return adhoc.bad("bad-payload", text)
