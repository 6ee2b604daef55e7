"""XEP-0115: the examples of the specification."""

from __future__ import annotations

import random

from prosody_py.xmpp import builders as stanza
from prosody_py.xmpp.caps import verification_string

INFO = "http://jabber.org/protocol/disco#info"
FEATURES = ("http://jabber.org/protocol/caps", INFO, "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/muc")


def simple():
    query = stanza.stanza("query", xmlns=INFO)
    query.tag("identity", category="client", type="pc", name="Exodus 0.9.1").up()
    for feature in FEATURES:
        query.tag("feature", var=feature).up()
    return query


def complex_query():
    query = stanza.stanza("query", xmlns=INFO)
    for lang, name in (("en", "Psi 0.11"), ("el", "\u03a8 0.11")):
        query.tag("identity", {"category": "client", "type": "pc", "xml:lang": lang,
                               "name": name}).up()
    for feature in FEATURES:
        query.tag("feature", var=feature).up()
    query.tag("x", xmlns="jabber:x:data", type="result")
    fields = {"FORM_TYPE": ("urn:xmpp:dataforms:softwareinfo",), "ip_version": ("ipv6", "ipv4"),
              "os": ("Mac",), "os_version": ("10.5.1",), "software": ("Psi",),
              "software_version": ("0.11",)}
    for var, values in fields.items():
        query.tag("field", var=var)
        for value in values:
            query.text_tag("value", value)
        query.up()
    return query.up()


def test_string_of_the_simple_example():
    assert verification_string(simple()) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_string_of_the_complex_example():
    assert verification_string(complex_query()) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_string_does_not_depend_on_order():
    query = complex_query()
    random.Random(1).shuffle(query.children)
    random.Random(1).shuffle(query.get_child("x", "jabber:x:data").children)
    assert verification_string(query) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_form_without_a_type_does_not_count():
    query = simple()
    query.tag("x", xmlns="jabber:x:data", type="result").tag("field", var="os")
    query.text_tag("value", "Mac")
    assert verification_string(query) == "QgayPKawpkPSDYmwT/WM94uAlu0="
