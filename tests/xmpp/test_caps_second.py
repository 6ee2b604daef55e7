"""XEP-0390: the examples of the specification, and what has no hash."""

from __future__ import annotations

import pytest

from prosody_py.xmpp import builders as stanza
from prosody_py.xmpp.caps import SECOND, announced, hash_input, is_true

INFO, FORM = "http://jabber.org/protocol/disco#info", "jabber:x:data"
PROTOCOL = "http://jabber.org/protocol/"
SIMPLE = [PROTOCOL + name for name in (
    "si", "bytestreams", "chatstates", "disco#info", "disco#items", "rosterx", "ibb",
    "si/profile/file-transfer")] + [
    "urn:xmpp:ping", "jabber:iq:time", "jabber:iq:privacy", "jabber:iq:version", "urn:xmpp:time",
    "jabber:x:oob", "urn:xmpp:receipts", "jabber:iq:roster", "jabber:iq:last"]
COMPLEX = ["games:board"] + [PROTOCOL + name for name in (
    "activity", "activity+notify", "bytestreams", "chatstates", "commands", "disco#info",
    "disco#items", "evil", "feature-neg", "geoloc", "geoloc+notify", "ibb", "iqibb", "mood",
    "mood+notify", "rosterx", "si", "si/profile/file-transfer", "tune")] + [
    "http://www.facebook.com/xmpp/messages",
    "http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify"] + [
    "jabber:iq:" + name for name in (
        "avatar", "browse", "dtcp", "filexfer", "ibb", "inband", "jidlink", "last", "oob",
        "privacy", "roster", "time", "version")] + [
    "jabber:x:data", "jabber:x:event", "jabber:x:oob", "urn:xmpp:avatar:metadata+notify",
    "urn:xmpp:ping", "urn:xmpp:receipts", "urn:xmpp:time"]


def query(features, identities):
    found = stanza.stanza("query", xmlns=INFO)
    for identity in identities:
        found.tag("identity", identity).up()
    for feature in features:
        found.tag("feature", var=feature).up()
    return found


def simple():
    return query(SIMPLE, [{"category": "client", "name": "BombusMod", "type": "mobile"}])


def complex_query():
    found = query(COMPLEX, [
        {"category": "client", "type": "pc", "name": name, "xml:lang": lang}
        for lang, name in (("en", "Tkabber"),
                           ("ru", "\u0422\u043a\u0430\u0431\u0431\u0435\u0440"))])
    found.tag("x", xmlns=FORM, type="result")
    for var, value in (("FORM_TYPE", "urn:xmpp:dataforms:softwareinfo"), ("software", "Tkabber"),
                       ("software_version", "0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)"),
                       ("os", "Windows"), ("os_version", "XP")):
        found.tag("field", var=var).text_tag("value", value).up()
    return found.up()


@pytest.mark.parametrize(("make", "algorithm", "hash"), [
    (simple, "sha-256", "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8="),
    (simple, "sha3-256", "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q="),
    (complex_query, "sha-256", "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY="),
    (complex_query, "sha3-256", "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg="),
])
def test_the_examples(make, algorithm, hash):
    node = f"{SECOND}#{algorithm}.{hash}"
    assert is_true(node, make())
    assert not is_true(node, make().tag("feature", var="more").up())
    assert not is_true(f"{SECOND}#md5.{hash}", make())


@pytest.mark.parametrize("odd", [
    stanza.stanza("other"), stanza.stanza("x", xmlns=FORM),
    stanza.stanza("x", xmlns=FORM).tag("field", var="FORM_TYPE").up().tag("reported").up(),
    stanza.stanza("feature", xmlns="urn:other"),
])
def test_what_has_no_hash(odd):
    assert hash_input(simple().add_child(odd)) is None
    assert not is_true(f"{SECOND}#sha-256.x", simple().add_child(odd))


def presence(*hashes, first=None):
    found = stanza.presence().tag("c", xmlns=SECOND)
    for algorithm, hash in hashes:
        found.text_tag("hash", hash, {"xmlns": "urn:xmpp:hashes:2", "algo": algorithm})
    found.up()
    if first:
        found.tag("c", {"xmlns": "http://jabber.org/protocol/caps", "hash": first,
                        "node": "n", "ver": "v"}).up()
    return found


@pytest.mark.parametrize(("element", "node"), [
    (presence(("sha-256", "x")), SECOND + "#sha-256.x"),
    (presence(("unheard-of", "x"), ("sha3-256", "y")), SECOND + "#sha3-256.y"),
    (presence(("sha-256", "x"), first="sha-1"), SECOND + "#sha-256.x"),
    (presence(("unheard-of", "x"), first="sha-1"), "n#v"),
    (presence(first="md5"), None), (presence(("sha-256", " ")), None),
    (stanza.presence(), None),
])
def test_what_a_presence_announces(element, node):
    assert announced(element) == node
