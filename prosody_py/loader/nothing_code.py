"""A module that loads as nothing: what it would do, the server itself does (loader/replaced)."""

from __future__ import annotations

from prosody_py.loader.find import Source


class NothingCode:
    """A module without code: what it would do, the server does. Same protocol as PythonCode."""

    language = "none"

    def __init__(self, source: Source):
        self.source = source

    def run(self, module) -> None:
        """Be there, once for all hosts, and say why there is nothing to do."""
        module.set_global()
        module.set_status("info", f"nothing to do: {self.source.replaced}")

    def has(self, name: str) -> bool:
        """Whether there is a life-cycle function: never."""
        return False

    def call(self, name: str, *args: object) -> None:
        """Call a life-cycle function: there is none."""

    def call_for(self, module, name: str, *args: object) -> None:
        """Call a life-cycle function for a host: there is none."""
