"""All commands of one moment: those of the core and those that modules offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.api.commands.arguments import CommandError
from prosody_py.api.commands.command import Command, Section
from prosody_py.api.commands.items import modules_commands
from prosody_py.config.nearest import nearest


class Registry:
    """All commands that the server knows at one moment."""

    def __init__(self, sections: Iterable[Section] = ()):
        self.commands: dict[tuple[str, ...], Command] = {}
        self.sections: dict[str, str] = {}
        for section in sections:
            self.sections[section.name] = section.help
            for command in section.commands:
                self.commands[command.words] = command

    @classmethod
    def of(cls, server) -> Registry:
        """Return the commands that there are now: the core's, and what modules offer."""
        registry = cls(server.command_sections)
        for command, section_help in modules_commands(server):
            registry.add(command, section_help)
        return registry

    def add(self, command: Command, section_help: str = "") -> None:
        """Add a command, or a further host's handler of one that is there.

        What the core has stays the core's, and of two that are not the same the first one counts.
        """
        known = self.commands.get(command.words)
        if known is None:
            self.commands[command.words] = command
        elif "*" not in known.handlers and known.is_like(command):
            known.handlers.update(command.handlers)
        if section_help or command.words[0] not in self.sections:
            self.sections[command.words[0]] = (self.sections.get(command.words[0])
                                               or section_help)

    def find(self, words: list[str]) -> tuple[Command, list[str]]:
        """Return the command that words begin with, and the other words; raises CommandError."""
        for length in (2, 1):
            command = self.commands.get(tuple(words[:length]))
            if command is not None and len(words) >= length:
                return command, words[length:]
        raise CommandError(self._unknown(words), "item-not-found")

    def _unknown(self, words: list[str]) -> str:
        if not words:
            return "No command was given; 'help' lists them"
        section = words[0]
        if section in self.sections:
            names = [one[1] for one in self.commands if one[0] == section and len(one) > 1]
            there = f"there is: {', '.join(names)}"
            if len(words) == 1:
                return f"{section} needs one more word; {there}"
            guess = nearest(words[1], names)
            meant = f"did you mean '{section} {guess}'?" if guess else there
            return f"{section} has no command {words[1]!r}; {meant}"
        guess = nearest(section, {one[0] for one in self.commands})
        meant = f"did you mean {guess}?" if guess else "'help' lists the commands"
        return f"There is no command {section!r}; {meant}"

    def describe(self) -> list[dict[str, Any]]:
        """Return all commands as data."""
        return [command.describe() for _words, command in sorted(self.commands.items())]
