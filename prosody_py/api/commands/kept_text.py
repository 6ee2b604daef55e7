"""A text that administrators set in place of an option's, and the commands for it.

    MESSAGE = KeptText("motd", "message of the day", "motd_text", helps={"set": ..., ...})
    show, set_text, delete, reset = MESSAGE.commands()

    def load(module):
        MESSAGE.open(module)

What was set is kept in a store of the host, which has the name of the commands' section, as
{"text": ...}; an empty text means none. Nothing is kept while the option's text holds. A store
that fails raises StorageError, and the text stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prosody_py.api.commands.arguments import CommandError
from prosody_py.api.marks import command

MAX_TEXT = 10_000  # characters


class KeptText:
    """A text of a host, for a module that has it at its top level.

    `section` is the commands' and the store's name, `name` what the text is ("message of the
    day"), `option` that of the module with the text that holds until another is set, which `shape`
    may change, and `helps` what the commands "set", "delete" and "reset" say of themselves.
    """

    def __init__(self, section: str, name: str, option: str, helps: Mapping[str, str],
                 shape: Callable[[str], str] = str):
        self.section, self.name, self.option = section, name, option
        self.helps, self.shape = helps, shape
        self._store: Any = None
        self._kept: dict[str, Any] | None = None

    def open(self, module: Any) -> None:
        """Open the store; it is read when the text is wanted."""
        self._store, self._kept = module.open_store(self.section), None

    def text(self, module: Any) -> str:
        """Return the text, empty for none."""
        if self._kept is None:
            self._kept = self._store.get(None) or {}
        text = self._kept.get("text")
        return self.shape(getattr(module.options, self.option) or "") if text is None else text

    def _keep(self, text: str | None) -> None:
        """Set the text in place of the option's, None for that of the option."""
        value = None if text is None else {"text": text}
        self._store.set(None, value)
        self._kept = value or {}

    def commands(self) -> tuple[Callable[..., str], ...]:
        """Return the commands show, set, delete and reset, for the top level of the module."""
        @command(self.section, "show", "host:host", help=f"The {self.name}")
        def show(module, call, host):
            return self.text(module) or f"There is no {self.name}"

        @command(self.section, "set", "host:host", "text:text")
        def set_text(module, call, host, text):
            if len(text) > MAX_TEXT:
                raise CommandError(f"A {self.name} has at most {MAX_TEXT} characters")
            self._keep(text)
            return f"The {self.name} was set"

        @command(self.section, "delete", "host:host")
        def delete(module, call, host):
            self._keep("")
            return f"The {self.name} was deleted"

        @command(self.section, "reset", "host:host")
        def reset(module, call, host):
            self._keep(None)
            return f"The {self.name} is that of the option {self.option}"

        show.__doc__ = f"Show the {self.name}."
        for function, word in ((set_text, "set"), (delete, "delete"), (reset, "reset")):
            function.__doc__ = self.helps[word]
        return show, set_text, delete, reset
