"""What is wrong with a configuration, and where: the words an operator reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; lines and columns count from 1, line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what is wrong, and what to do about it.

    `severity` is "error" (it cannot work as written) or "warning" (it may be meant so).
    """

    file: str
    line: int
    message: str
    hint: str = ""
    severity: str = ERROR
    column: int = 0

    @classmethod
    def at(
        cls, location: Location, message: str, hint: str = "", severity: str = ERROR
    ) -> Problem:
        """Make a problem at `location`."""
        return cls(location.file, location.line, message, hint, severity, location.column)

    def __str__(self) -> str:
        where = Location(self.file, self.line, self.column)
        kind = "warning: " if self.severity == WARNING else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}: {kind}{self.message}{hint}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` lists everything that was found."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))
