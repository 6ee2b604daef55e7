"""Publish-subscribe in tests: requests of XEP-0060 in short, and clients that want to be told."""

from __future__ import annotations

import secrets

from prosody_py.pubsub.namespaces import EVENT, OWNER, PUBSUB
from prosody_py.testing.client import Client
from prosody_py.xmpp import caps
from prosody_py.xmpp.stanza import Stanza

DISCO = "http://jabber.org/protocol/disco#info"
ERRORS = PUBSUB + "#errors"
DATA_FORMS = "jabber:x:data"


def form(type: str, fields: dict | None = None, kind: str = "submit") -> str:
    """Return a data form of the type "http://jabber.org/protocol/pubsub#<type>"."""
    texts = []
    for name, value in (fields or {}).items():
        values = "".join(f"<value>{each}</value>"
                         for each in (value if isinstance(value, list) else [value]))
        texts.append(f"<field var='pubsub#{name}'>{values}</field>")
    return (f"<x xmlns='{DATA_FORMS}' type='{kind}'><field var='FORM_TYPE' type='hidden'>"
            f"<value>{PUBSUB}#{type}</value></field>{''.join(texts)}</x>")


def values(x: Stanza) -> dict[str, list[str]]:
    """Return the values of a form's fields by name, without "pubsub#"."""
    return {field.attr["var"].removeprefix("pubsub#"):
            [value.get_text() for value in field.childtags("value")]
            for field in x.childtags("field") if "var" in field.attr}


def error(answer: Stanza) -> tuple[str, str, str | None]:
    """Return (type, condition, condition of XEP-0060) of an error."""
    assert answer.attr["type"] == "error", str(answer)
    type, condition, _text, extra = answer.get_error()
    return type, condition, extra.name if extra is not None else None


def payload(text: str = "", name: str = "x") -> str:
    """Return a payload."""
    return f"<{name} xmlns='urn:example:{name}'>{text}</{name}>"


def ask(client: Client, type: str, payload: str, to: str | None = None) -> Stanza:
    """Send an iq and return its answer; what comes before it is received after it."""
    id, before = secrets.token_hex(4), []
    address = f" to='{to}'" if to else ""
    client.send(f"<iq type='{type}' id='{id}'{address}>{payload}</iq>")
    while True:
        element = client.receive()
        if element.name == "iq" and element.attr.get("id") == id:
            client.events[:0] = before
            return element
        before.append(element)


class Asking:
    """A client that talks to a service; `to` None is its own account."""

    def __init__(self, client: Client, to: str | None = None):
        self.client, self.to = client, to

    def ask(self, type: str, inside: str, xmlns: str = PUBSUB) -> Stanza:
        """Send a request and return the answer; what comes before it is received after it."""
        return ask(self.client, type, f"<pubsub xmlns='{xmlns}'>{inside}</pubsub>", self.to)

    def set(self, inside: str, owner: bool = False) -> Stanza | None:
        """Do what must succeed; return what is inside of the answer."""
        answer = self.ask("set", inside, OWNER if owner else PUBSUB)
        assert answer.attr["type"] == "result", str(answer)
        return answer.tags[0] if answer.tags else None

    def get(self, inside: str, owner: bool = False) -> Stanza:
        """Ask for what there must be; return the first element inside of <pubsub/>."""
        answer = self.ask("get", inside, OWNER if owner else PUBSUB)
        assert answer.attr["type"] == "result", str(answer)
        return answer.tags[0].tags[0]

    def refused(self, type: str, inside: str, owner: bool = False) -> tuple:
        """Ask for what must be refused; return the error."""
        return error(self.ask(type, inside, OWNER if owner else PUBSUB))

    def create(self, node: str, **config) -> None:
        """Make a node."""
        chosen = f"<configure>{form('node_config', config)}</configure>" if config else ""
        self.set(f"<create node='{node}'/>{chosen}")

    def configure(self, node: str, **config) -> None:
        """Change the configuration of a node."""
        self.set(f"<configure node='{node}'>{form('node_config', config)}</configure>", True)

    def publish(self, node: str, id: str | None = "1", inside: str | None = None,
                **options) -> str:
        """Publish an item and return its id."""
        name = f" id='{id}'" if id else ""
        item = f"<item{name}>{payload(id or '') if inside is None else inside}</item>"
        chosen = f"<publish-options>{form('publish-options', options)}</publish-options>" \
            if options else ""
        answer = self.set(f"<publish node='{node}'>{item}</publish>{chosen}")
        return answer.get_child("publish").get_child("item").attr["id"] if answer else id

    def items(self, node: str, inside: str = "", **attr) -> list[str]:
        """Return the ids of items."""
        more = "".join(f" {name}='{value}'" for name, value in attr.items())
        found = self.get(f"<items node='{node}'{more}>{inside}</items>")
        return [item.attr["id"] for item in found.tags]

    def subscribe(self, node: str, jid: str | None = None) -> str:
        """Subscribe and return the state."""
        answer = self.set(f"<subscribe node='{node}' jid='{jid or self.client.bare_jid}'/>")
        return answer.get_child("subscription").attr["subscription"]


def events(elements: list) -> list[Stanza]:
    """Return the notifications among elements: what is inside of each <event/>."""
    found = [element.get_child("event", EVENT) for element in elements
             if getattr(element, "name", None) == "message"]
    return [event.tags[0] for event in found if event is not None]


def event_ids(elements: list) -> list[tuple[str, str]]:
    """Return (node, id) of the items in notifications."""
    return [(event.attr["node"], item.attr["id"]) for event in events(elements)
            if event.name == "items" for item in event.tags]


class Wanting:
    """What a client says of itself: that it wants to be told of nodes."""

    def __init__(self, *nodes: str):
        self.features = [node + "+notify" for node in nodes]
        query = Stanza("query", {"xmlns": DISCO})
        query.tag("identity", category="client", type="pc", name="test").up()
        for feature in self.features:
            query.tag("feature", var=feature).up()
        self.query = query
        self.ver = caps.verification_string(query)
        self.node = "https://test.example/" + secrets.token_hex(4)

    def caps(self) -> str:
        """Return the element for a presence."""
        return f"<c xmlns='{caps.XMLNS}' hash='sha-1' node='{self.node}' ver='{self.ver}'/>"

    def answer(self, client: Client, request: Stanza) -> None:
        """Answer a request for what the client can do."""
        copy = self.query.clone()
        copy.attr["node"] = request.tags[0].attr["node"]
        client.send(f"<iq type='result' id='{request.attr['id']}' to='{request.attr['from']}'>"
                    f"{copy}</iq>")

    def announce(self, client: Client) -> list:
        """Send presence and answer what is asked; return what came meanwhile."""
        client.send(f"<presence>{self.caps()}</presence>")
        got, quiet = [], 0
        while quiet < 3:
            came = client.flush()
            for element in came:
                if element.name == "iq" and element.attr["type"] == "get":
                    self.answer(client, element)
                else:
                    got.append(element)
            quiet = 0 if came else quiet + 1
        return got
