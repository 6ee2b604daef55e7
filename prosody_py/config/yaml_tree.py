"""Parse YAML into a tree that knows the line of every name and value.

The dialect is made for configuration files. `yes`, `no`, `on` and `off` are booleans as in YAML
1.1; a number with a leading zero (`umask: 027`), a date and `1:30` are text. Names are text, only
whole numbers inside an option stay numbers. A name that is given twice is an error, and so are tags
other than those of `tags`, merge keys, and more than one document. Limits bound what aliases can
unfold.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from prosody_py.config import tags, yaml_errors
from prosody_py.config.problems import Location, Problem

MAX_DEPTH = 32
"""How deep lists and mappings may nest."""

MAX_NODES = 100_000
"""How many values one file may have, with all its aliases written out."""

_TOO_DEEP = f"values nest deeper than {MAX_DEPTH} levels"
_WORDS = {
    "true": True, "yes": True, "on": True, "false": False, "no": False, "off": False,
    "": None, "~": None, "null": None,
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\Z")
_OTHER_BASE = re.compile(r"0x[0-9a-fA-F]{1,16}\Z|0o[0-7]{1,21}\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]+|\.(?=[eE]|\Z))([eE][-+]?[0-9]{1,3})?\Z")


@dataclass(slots=True)
class Node:
    """A value, where it stands, and where its parts stand.

    `value` is text, a number, a boolean, None, a list of nodes or a dict of nodes. `names` holds
    the places of a mapping's names. `size` counts nodes, this one included, `height` the levels
    below it. `secret` marks text that came through a tag.
    """

    value: Any = field(repr=False)
    location: Location
    size: int = 1
    height: int = 0
    secret: bool = False
    names: dict[Any, Location] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the value as fresh Python data without places."""
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {name: item.plain() for name, item in self.value.items()}
        return self.value

    def find(self, path: tuple) -> Location:
        """Return the place of the part at `path`, or of the last part on the way that exists."""
        node, location = self, self.location
        for step in path:
            if isinstance(node.value, list):
                known = isinstance(step, int) and step < len(node.value)
            else:
                known = isinstance(node.value, dict) and step in node.value
            if not known:
                break
            location = node.names[step] if node.names else node.value[step].location
            node = node.value[step]
        return location

    def holds_secret(self) -> bool:
        """Whether this value or a part of it is secret."""
        parts = self.value
        if isinstance(parts, dict):
            parts = parts.values()
        elif not isinstance(parts, list):
            return self.secret
        return any(part.holds_secret() for part in parts)


def parse(text: str, file: str, problems: list[Problem]) -> Node | None:
    """Parse one YAML document.

    Returns None when it is empty or not YAML; what is wrong is added to `problems`.
    """
    try:
        return _Composer(text, file, problems).document()
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The scanner passes on what chr() and int() raise for absurd escapes and versions.
        problems.append(yaml_errors.plain(error, text, file))
    except _GiveUp as error:
        problems.append(error.problem)
    return None


class _GiveUp(Exception):
    """A limit is reached; reading on is pointless."""

    def __init__(self, location: Location, message: str):
        super().__init__(message)
        self.problem = Problem.at(location, message)


class _Composer:
    """Build nodes from the parser's events."""

    def __init__(self, text: str, file: str, problems: list[Problem]):
        self.events = yaml.SafeLoader(text)
        self.file = file
        self.directory = os.path.dirname(file)
        self.problems = problems
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def document(self) -> Node | None:
        """Return the tree of the only document, None for an empty file."""
        self.events.get_event()  # start of the stream
        if self.events.check_event(yaml.StreamEndEvent):
            return None
        self.events.get_event()  # start of the document
        node = self.node(0)
        self.events.get_event()  # end of the document
        if not self.events.check_event(yaml.StreamEndEvent):
            self.problem(
                self.place(self.events.get_event()),
                "a second document begins here",
                "a configuration file is one document; remove the '---'",
            )
        return node

    def node(self, depth: int) -> Node:
        """Compose the next value."""
        event = self.events.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        if depth > MAX_DEPTH:
            raise _GiveUp(self.place(event), _TOO_DEEP)
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        self.count(1, node.location)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        """Repeat the value with the alias's name; only complete values have one."""
        node = self.anchors.get(event.anchor)
        location = self.place(event)
        if node is None:
            self.problem(
                location,
                f"*{event.anchor} repeats a value named &{event.anchor}, and there is none above",
                "put the value in quotes if it is to begin with a *",
            )
            return Node(None, location)
        if depth + node.height > MAX_DEPTH:
            raise _GiveUp(location, _TOO_DEEP)
        self.count(node.size, location)
        return node

    def scalar(self, event: yaml.ScalarEvent) -> Node:
        """Compose text, a number or a boolean."""
        location = self.place(event)
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            self.problem(location, "an escape in this text is half of a surrogate pair")
            return Node(None, location)
        if event.tag is None:
            return Node(resolve(event.value) if event.implicit[0] else event.value, location)
        if event.tag not in tags.TAGS:
            self.bad_tag(event)
            return Node(None, location)
        try:
            text = tags.resolve(event.tag, event.value, self.directory)
        except tags.TagError as error:
            self.problem(location, str(error), error.hint)
            return Node(None, location)
        return Node(text, location, secret=True)

    def sequence(self, event: yaml.SequenceStartEvent, depth: int) -> Node:
        """Compose a list."""
        self.check_untagged(event)
        items = []
        while not self.events.check_event(yaml.SequenceEndEvent):
            items.append(self.node(depth + 1))
        self.events.get_event()
        size = 1 + sum(item.size for item in items)
        height = 1 + max((item.height for item in items), default=0)
        return Node(items, self.place(event), size, height)

    def mapping(self, event: yaml.MappingStartEvent, depth: int) -> Node:
        """Compose a mapping; of a name given twice the first value stays."""
        self.check_untagged(event)
        node = Node({}, self.place(event), height=1)
        while not self.events.check_event(yaml.MappingEndEvent):
            name, place = self.name(depth + 1)
            value = self.node(depth + 1)
            if name is None:
                continue
            if name in node.value:
                first = node.names[name].line
                self.problem(
                    place, f"{name} is set twice; the first time is in line {first}",
                    "remove one of the two",
                )
                continue
            node.value[name] = value
            node.names[name] = place
            node.size += value.size
            node.height = max(node.height, value.height + 1)
        self.events.get_event()
        return node

    def name(self, depth: int) -> tuple[str | int | None, Location]:
        """Compose a mapping's name; None when it cannot be one."""
        event = self.events.peek_event()
        node, location = self.node(depth), self.place(event)
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            self.problem(location, "a name must be plain text, not a list, a tag or a repetition")
            return None, location
        if not event.implicit[0]:
            return event.value, location
        if event.value == "<<":
            self.problem(
                location, "merge keys (<<) are not supported",
                "an option that all hosts share goes to the top level of the file",
            )
            return None, location
        if not event.value:
            self.problem(location, "there is no name before the ':'")
            return None, location
        return node.value if type(node.value) is int else event.value, location

    def check_untagged(self, event: yaml.CollectionStartEvent) -> None:
        """Report a tag on a list or a mapping."""
        if event.tag is not None:
            self.bad_tag(event)

    def bad_tag(self, event: yaml.NodeEvent) -> None:
        """Report a tag that may not stand here."""
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        if event.tag in tags.TAGS:
            self.problem(self.place(event), f"{shown} needs a name, not a list or a mapping")
            return
        self.problem(
            self.place(event), f"the tag {shown} is not known here",
            f"the tags are {', '.join(tags.TAGS)}; put text that begins with ! in quotes",
        )

    def count(self, nodes: int, location: Location) -> None:
        """Add to the number of values, and stop at the limit."""
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise _GiveUp(location, f"the file has more than {MAX_NODES} values, aliases included")

    def place(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        return Location(self.file, mark.line + 1, mark.column + 1)

    def problem(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem.at(location, message, hint))


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of a word without quotes."""
    lowered = text.lower() if len(text) <= 5 else text
    if lowered in _WORDS:
        return _WORDS[lowered]
    if _INTEGER.match(text) or _OTHER_BASE.match(text):
        integer = int(text, 0)
        return integer if -(2**63) <= integer < 2**63 else text  # what Lua's integers hold
    if _FLOAT.match(text) and len(text) <= 32 and any(map(str.isdigit, text)):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
