"""The tree of a piece of Lua: expressions and statements, each with its line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """Anything in the tree."""

    line: int


@dataclass(slots=True)
class Constant(Node):
    """nil, true, false, a number, or `...`, as it is written."""

    text: str


@dataclass(slots=True)
class String(Node):
    """A text; `raw` is how it is written."""

    text: str
    raw: str


@dataclass(slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(slots=True)
class Index(Node):
    """`object[key]`; `object.key` has a String as key."""

    object: Node
    key: Node


@dataclass(slots=True)
class Call(Node):
    """`function(arguments)`."""

    function: Node
    arguments: list[Node]


@dataclass(slots=True)
class MethodCall(Node):
    """`object:name(arguments)`."""

    object: Node
    name: str
    arguments: list[Node]


@dataclass(slots=True)
class Operation(Node):
    """`left operator right`, or `operator right` with no left."""

    operator: str
    left: Node | None
    right: Node


@dataclass(slots=True)
class Table(Node):
    """`{ ... }`: pairs of key (None for a list's entry) and value."""

    fields: list[tuple[Node | None, Node]]


@dataclass(slots=True)
class Function(Node):
    """A function's body."""

    parameters: list[str]
    body: list[Node]


@dataclass(slots=True)
class Local(Node):
    """`local names = values`; a `local function` has `recursive`."""

    names: list[str]
    values: list[Node] = field(default_factory=list)
    recursive: bool = False


@dataclass(slots=True)
class Assign(Node):
    """`targets = values`; `function a.b()` is one, too."""

    targets: list[Node]
    values: list[Node]


@dataclass(slots=True)
class Do(Node):
    """A call as a statement (`expressions`), a block, or both: the values before, then the block.

    `while`, `for` and `repeat` are this, too: what matters here is which names are in sight.
    """

    expressions: list[Node]
    names: list[str] = field(default_factory=list)
    body: list[Node] = field(default_factory=list)
    after: Node | None = None  # the condition of `until`, which sees the names of the body


@dataclass(slots=True)
class If(Node):
    """`if`: conditions with their blocks; the condition of `else` is None."""

    branches: list[tuple[Node | None, list[Node]]]


@dataclass(slots=True)
class Return(Node):
    """`return values`."""

    values: list[Node]
