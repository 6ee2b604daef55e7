"""People in rooms, for tests: guests, and the party that they have in a room of its own."""

from __future__ import annotations

import secrets

MUC = "http://jabber.org/protocol/muc"
USER, ADMIN, OWNER = MUC + "#user", MUC + "#admin", MUC + "#owner"
DATA, HOST = "jabber:x:data", "rooms.localhost"
JOIN = f"<x xmlns='{MUC}'/>"


class Guest:
    """A client in a room (or before its door), under a nickname."""

    def __init__(self, party, client, nick):
        self.party, self.client, self.nick = party, client, nick
        self.jid, self.bare_jid = client.jid, client.bare_jid

    @property
    def room(self):
        return self.party.room

    @property
    def address(self):
        """The address in the room."""
        return f"{self.room}/{self.nick}"

    def knock(self, inside=JOIN, nick=None):
        """Ask to be let in; return the first presence that comes back."""
        self.client.send(f"<presence to='{self.room}/{nick or self.nick}'>{inside}</presence>")
        return self.client.presence()

    def join(self, inside=JOIN):
        """Enter; return what came up to the subject, which is last (XEP-0045 section 7.2.15)."""
        self.client.send(f"<presence to='{self.address}'>{inside}</presence>")
        seen = []
        while not seen or seen[-1].get_child("subject") is None or seen[-1].get_child("body"):
            seen.append(self.client.receive())
            assert seen[-1].attr.get("type") != "error", str(seen[-1])
        return seen

    def leave(self, inside=""):
        """Go; return the own presence that says so."""
        self.client.send(f"<presence type='unavailable' to='{self.address}'>{inside}</presence>")
        return self.client.receive_until(lambda one: one.attr.get("type") == "unavailable"
                                         and one.attr["from"] == self.address)

    def show(self, inside=""):
        """Send a presence to the room."""
        self.client.send(f"<presence to='{self.address}'>{inside}</presence>")
        return self

    def say(self, text="hello", inside="", id="m1"):
        """Say something to all."""
        self.client.send(f"<message to='{self.room}' type='groupchat' id='{id}'>"
                         f"<body>{text}</body>{inside}</message>")
        return self

    def whisper(self, to, text="psst", type="chat", inside=""):
        """Say something to one."""
        self.client.send(f"<message to='{self.room}/{to}' type='{type}' id='p1'>"
                         f"<body>{text}</body>{inside}</message>")
        return self

    def send(self, data):
        """Send anything."""
        self.client.send(data)
        return self

    def iq(self, type, payload, to=None):
        """Ask the room something; return the answer."""
        return self.client.iq(type, payload, to or self.room)

    def owner(self, type, payload=""):
        """Send a request of an owner."""
        return self.iq(type, f"<query xmlns='{OWNER}'>{payload}</query>")

    def form(self):
        """Return the fields of the configuration form: {var: field}."""
        x = self.owner("get").tags[0].get_child("x", DATA)
        return {field.attr.get("var"): field for field in x.tags if field.name == "field"}

    def configure(self, **values):
        """Submit the form, by the ends of the fields' names."""
        return self.submit({f"muc#roomconfig_{name}": value for name, value in values.items()})

    def submit(self, values):
        """Submit the form, by the names of the fields."""
        fields = ""
        for name, value in values.items():
            texts = value if isinstance(value, list) else [value]
            fields += (f"<field var='{name}'>"
                       + "".join(f"<value>{text}</value>" for text in texts) + "</field>")
        return self.owner("set", f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>"
                          f"<value>{MUC}#roomconfig</value></field>{fields}</x>")

    def admin(self, type, *items, **item):
        """Send a request of an admin, with items."""
        text = ""
        for one in items or (item,):
            one = dict(one)
            reason = one.pop("reason", None)
            attributes = "".join(f" {name}='{value}'" for name, value in one.items())
            text += f"<item{attributes}>" + (f"<reason>{reason}</reason>" if reason else "") + \
                "</item>"
        return self.iq(type, f"<query xmlns='{ADMIN}'>{text}</query>")

    def listed(self, **item):
        """Return the items of an admin list as dicts."""
        answer = self.admin("get", **item)
        assert answer.attr["type"] == "result", str(answer)
        return [{name: value for name, value in tag.attr.items() if name != "xmlns"}
                for tag in answer.tags[0].tags]

    def presence_of(self, nick):
        """Wait for the next presence of somebody in the room."""
        return self.client.receive_until(lambda one: one.name == "presence"
                                         and one.attr["from"] == f"{self.room}/{nick}")

    def message(self):
        """Wait for the next message."""
        return self.client.receive_until(lambda one: one.name == "message")

    def messages(self):
        """Return the messages that have come."""
        return [one for one in self.client.flush() if one.name == "message"]

    def flush(self):
        """Forget what has come."""
        self.client.flush()
        return self


class Party:
    """A room that is a test's own, and who comes to it."""

    def __init__(self, running):
        self.running, self.suffix, self.clients = running, secrets.token_hex(3), []
        self.room = f"hall{self.suffix}@{HOST}"

    def name(self, name):
        """Return the user name of somebody."""
        return f"{name}{self.suffix}"

    def guest(self, name, nick=None, resource=None, available=False):
        """Log somebody in who may enter."""
        client = self.running.client(self.name(name), resource)
        self.clients.append(client)
        if available:
            client.available()
        return Guest(self, client, nick or name.capitalize())

    def owner(self, name="juliet", **config):
        """Return somebody who has made the room and configured it."""
        owner = self.guest(name)
        owner.join()
        assert owner.configure(**config).attr["type"] == "result"
        owner.flush()
        return owner

    def pair(self, **config):
        """Return the owner and a participant, nothing left to read."""
        juliet, romeo = self.owner(**config), self.guest("romeo")
        romeo.join()
        juliet.flush()
        return juliet, romeo


def codes(stanza):
    """Return the status codes of a stanza."""
    x = stanza.get_child("x", USER)
    return {int(tag.attr["code"]) for tag in x.tags if tag.name == "status"} if x else set()


def item(presence):
    """Return the attributes of the item in a presence."""
    attr = presence.get_child("x", USER).get_child("item").attr
    return {name: value for name, value in attr.items() if name != "xmlns"}


def error(stanza):
    """Return (type, condition) of an error."""
    assert stanza.attr["type"] == "error", str(stanza)
    return stanza.get_error()[:2]
