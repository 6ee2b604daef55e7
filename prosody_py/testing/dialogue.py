r"""Scripted talks: what a client says, byte for byte, and what the server has to answer.

    # What is shown, for people.
    option c2s_timeout: 1 second          options of the server, as in its configuration
    user juliet secret                    an account
    C: <stream:stream to='localhost' ...  sent as it is, in one segment; indented lines go on
    S: <stream:features>...</stream:features>   the next element from the server
    -> tls                                the client acts
    <- closed                             the server closes; `<- broken`: perhaps with a reset

Lines of another connection have its number: `C2:`, `S2:`, `2-> close`. In what is sent,
`{base64 TEXT}` is TEXT in base64, and in both Python's escapes such as `\0` count.

In what is expected, `*` in a value or text stands for anything; `...` among the attributes for
further attributes, and among the children for any further children. Apart from that, attributes,
children, their order and namespaces must be the same. Actions: `-> tls`, `-> close` (the TCP
connection), `-> bytes 16 03 01`, `-> wait 0.5`, `-> stop server`, and what other scripts show in
full: `-> open` (a stream, up to its features), `-> authenticate as NAME` (and open again),
`-> log in as NAME/RESOURCE`.
"""

from __future__ import annotations

import base64
import copy
import re
from dataclasses import dataclass, field
from typing import Any

import gevent
import yaml

from prosody_py.testing.client import Client, Closed
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.ns import CLIENT, STREAM
from prosody_py.xmpp.parser import StreamClose, StreamOpen, StreamParser, parse_fragment
from prosody_py.xmpp.stanza import Stanza

_line = re.compile(r"(?P<kind>[CS])(?P<talk>\d*): ?(?P<text>.*)|"
                   r"(?P<by>\d*)(?P<arrow>->|<-) (?P<action>.*)").fullmatch
_in_tag = re.compile(r"<[^<>]*>")
_base64 = re.compile(r"\{base64 ([^}]*)\}")
_ANY, _MORE = "*", "..."
_MORE_ATTRIBUTES = "more-attributes"


@dataclass
class Step:
    """One line: `kind` is "C", "S", "->" or "<-"; `talk` numbers the connection."""

    line: int
    kind: str
    talk: int
    text: str


@dataclass
class Script:
    """A parsed file."""

    options: dict[str, Any] = field(default_factory=dict)
    users: list[list[str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def parse(text: str) -> Script:
    """Read a script; raises ValueError with the line's number."""
    script = Script()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == " " and script.steps:
            script.steps[-1].text += " " + line.strip()
        elif line.startswith("option "):
            script.options.update(yaml.safe_load(line.removeprefix("option ")))
        elif line.startswith("user "):
            script.users.append(line.split()[1:])
        elif (found := _line(line.rstrip())) is not None:
            script.steps.append(Step(number, found["kind"] or found["arrow"],
                                     int(found["talk"] or found["by"] or 1),
                                     found["text"] or found["action"] or ""))
        else:
            raise ValueError(f"line {number}: not a line of a dialogue: {line}")
    return script


def spoken(text: str) -> bytes:
    """Return the bytes that a `C:` line sends."""
    def encode(found: re.Match[str]) -> str:
        return base64.b64encode(_unescape(found[1]).encode("latin-1")).decode()
    return _base64.sub(encode, _unescape(text) if "\\" in _base64.sub("", text) else text).encode()


def _unescape(text: str) -> str:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


class Dialogue:
    """Plays a script against a running TestServer; `send(client, bytes)` may cut what is sent."""

    def __init__(self, running, script: Script, send=Client.send):
        self.running, self.script, self.send = running, script, send
        self.talks: dict[int, Client] = {}

    def play(self) -> None:
        """Go through the script; raises AssertionError that names the line."""
        for user in self.script.users:
            self.running.user(*user)
        try:
            for step in self.script.steps:
                try:
                    self._take(step)
                except (AssertionError, Closed, OSError, StreamError) as error:
                    raise AssertionError(f"line {step.line}: {step.kind} {step.text}\n"
                                         f"{type(error).__name__}: {error}") from error
        finally:
            for client in self.talks.values():
                client.sock.close()

    def _take(self, step: Step) -> None:
        client = self.talks.get(step.talk)
        if client is None:
            client = self.talks[step.talk] = self.running.connect()
            client.parser.single = True  # the next stream begins where the script says so
        if step.kind == "C":
            self.send(client, spoken(step.text))
        elif step.kind == "S":
            if step.text.startswith("<stream:stream"):
                client.parser.reset()
            expect(step.text, client.receive())
        elif step.kind == "<-":
            closed(client, step.text == "closed")
        else:
            self._act(client, step.text)

    def _act(self, client: Client, action: str) -> None:
        name, _, rest = action.partition(" ")
        if name == "tls":
            client.wrap()
        elif name == "close":
            client.sock.close()
        elif name == "bytes":
            self.send(client, bytes.fromhex(rest))
        elif name == "wait":
            gevent.sleep(float(rest))
        elif action == "stop server":
            gevent.spawn(self.running.server.shutdown, "maintenance")
        elif name == "open":
            client.open()
        else:
            self._log_in(client, action)

    def _log_in(self, client: Client, action: str) -> None:
        verb, _, who = action.partition(" as ")
        username, _, resource = who.partition("/")
        assert who and verb in ("log in", "authenticate"), f"there is no action {action!r}"
        self.running.user(username)
        if client.features is None:
            client.open()
        client.authenticate(username, "secret")
        client.open()
        if verb == "log in":
            client.bind(resource or None)


def closed(client: Client, orderly: bool = True) -> None:
    """Wait for the end of the TCP connection; raises AssertionError when something else comes.

    An `orderly` end is no reset, and nothing comes before it.
    """
    try:
        element = client.receive()
    except (Closed, StreamError) as end:
        assert not (orderly and end.args), f"the connection was reset: {end}"
        return
    raise AssertionError(f"still open, and says {show(element)}")


def expect(pattern: str, element) -> None:
    """Compare what the server said with an `S:` line; raises AssertionError."""
    if pattern == "</stream:stream>":
        assert isinstance(element, StreamClose), f"came: {show(element)}"
    elif pattern.startswith("<stream:stream"):
        assert isinstance(element, StreamOpen), f"came: {show(element)}"
        (header,) = StreamParser(100_000).feed(_prepare(pattern).encode())
        said = Stanza("stream", {**element.attr, "xmlns": element.default_ns or ""})
        match(Stanza("stream", {**header.attr, "xmlns": header.default_ns or CLIENT}), said)
        assert element.prefixes.get("stream") == STREAM
    else:
        assert isinstance(element, Stanza), f"came: {show(element)}"
        try:
            match(parse_fragment(_prepare(pattern)), element)
        except AssertionError as error:
            raise AssertionError(f"{error}\ncame: {element}") from None


def _prepare(pattern: str) -> str:
    """Make XML of a pattern: "..." in a tag becomes an attribute."""
    if pattern.startswith("<stream:stream") and "xmlns:stream" not in pattern:
        pattern = f"<stream:stream xmlns:stream='{STREAM}'" + pattern[len("<stream:stream"):]
    return _in_tag.sub(lambda tag: re.sub(r"\s\.\.\.(?=[\s/>])", f" {_MORE_ATTRIBUTES}='1'",
                                          tag[0]), pattern)


def show(element) -> str:
    """Return what the server said, for people."""
    if isinstance(element, StreamOpen):
        return f"<stream:stream {element.attr}>"
    return "</stream:stream>" if isinstance(element, StreamClose) else str(element)


def match(wanted: Stanza, element: Stanza) -> None:
    """Compare an element with a pattern; raises AssertionError."""
    where = f"<{element.name}>"
    assert wanted.name == element.name, f"{where} instead of <{wanted.name}>"
    more = wanted.attr.pop(_MORE_ATTRIBUTES, None)
    for name, value in wanted.attr.items():
        assert name in element.attr, f"{where} has no attribute {name}"
        assert _like(value, element.attr[name]), f"{where} {name}={element.attr[name]!r}"
    extra = element.attr.keys() - wanted.attr.keys()
    assert more or not extra, f"{where} has attributes {sorted(extra)} too"
    _match_children(where, [child for child in wanted.children if not _is_blank(child)],
                    list(element.children))


def _match_children(where: str, wanted: list, given: list) -> None:
    gap = False
    for pattern in wanted:
        if isinstance(pattern, str) and pattern.strip() == _MORE:
            gap = True
            continue
        while gap and given and not _matches(pattern, given[0]):
            given.pop(0)
        gap = False
        if given:
            _match_child(where, pattern, given.pop(0))
        else:  # "*" is also no text at all
            assert isinstance(pattern, str) and pattern.strip() == _ANY, (
                f"{where} has no {pattern}")
    assert gap or not given, f"{where} also has {given[0]}"


def _match_child(where: str, pattern: Stanza | str, child: Stanza | str) -> None:
    if isinstance(pattern, str):
        assert isinstance(child, str), f"{where} has {child} instead of {pattern!r}"
        assert _like(pattern.strip(), child), f"{where} has the text {child!r}"
    else:
        assert isinstance(child, Stanza), f"{where} has the text {child!r}"
        match(pattern, child)


def _matches(pattern: Stanza | str, child: Stanza | str) -> bool:
    try:
        _match_child("", copy.deepcopy(pattern), child)
    except AssertionError:
        return False
    return True


def _is_blank(child: Stanza | str) -> bool:
    return isinstance(child, str) and not child.strip()


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split(_ANY))), text, re.DOTALL) is not None
