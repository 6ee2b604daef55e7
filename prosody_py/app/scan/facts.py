"""What the text of a Lua module says: the facts that the reader finds."""

from __future__ import annotations

from dataclasses import dataclass, field

ALWAYS, LATER, OPTIONAL = "always", "later", "optional"
"""When a place is reached: whenever the module loads; in a function or below a condition, perhaps;
with a look first whether it is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Library:
    """A `require "name"`."""

    name: str
    when: str
    place: Place


@dataclass(frozen=True, slots=True)
class Member:
    """A use of `library.a.b`; `path` is ("a", "b")."""

    library: str
    path: tuple[str, ...]
    when: str
    place: Place


@dataclass(frozen=True, slots=True)
class Method:
    """A call `module:name(...)`, or a look at `module.name`."""

    name: str
    when: str
    place: Place


@dataclass(frozen=True, slots=True)
class Hook:
    """A handler of an event; in the event `*` stands for what is known only when it runs."""

    event: str
    call: str
    priority: float
    place: Place


@dataclass(frozen=True, slots=True)
class OptionRead:
    """A `module:get_option_kind(name, default)`.

    `default` is written as in the file, None when it is no literal (or there is none); `words`
    are those of an enum.
    """

    name: str
    kind: str
    default: str | None
    words: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Needed:
    """Another module (`module:depends`) or a file beside this one (`module:require`)."""

    name: str
    when: str
    place: Place


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a module offers: `kind` such as "http" or "feature", `name` if it has one."""

    kind: str
    name: str
    place: Place


@dataclass(slots=True)
class Facts:
    """All that is found in the files of one module, in the order of the text.

    `required` are the options without which the module does not load.
    """

    libraries: list[Library] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    options: list[OptionRead] = field(default_factory=list)
    required: dict[str, None] = field(default_factory=dict)
    depends: list[Needed] = field(default_factory=list)
    files: list[Needed] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    fires: set[str] = field(default_factory=set)
    callbacks: set[str] = field(default_factory=set)
    assigned: set[tuple[str, ...]] = field(default_factory=set)
    is_global: bool = False

    def is_own(self, library: str, path: tuple[str, ...]) -> bool:
        """Whether the module itself has put there what stands at `library.path`."""
        return any((library, *path[:end]) in self.assigned for end in range(1, len(path) + 1))
