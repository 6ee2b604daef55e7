"""What section 15 of XEP-0045 registers: each field, feature, node and status code.

Everything stands in a table, with what shows that it is handled or with why it is not.
"""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, HOST, JOIN, MUC, USER, codes
from prosody_py.xmpp import builders
from prosody_py.xmpp.ns import STANZA_ERRORS

OPTIONS = {"modules_enabled": ["muc_mam"], "enforce_registered_nickname": True,
           "muc_affiliation_messages": True, "muc_registration": "approval"}
INFO = "http://jabber.org/protocol/disco#info"
MODULES = "for modules that make use of it (item muc-registration-field)"
LOGS = "for modules that make logs outside of the room"
NOT_OFFERED = {
    "muc#register_email": MODULES, "muc#register_faqentry": MODULES, "muc#register_first": MODULES,
    "muc#register_last": MODULES, "muc#register_url": MODULES,
    "muc#maxhistoryfetch": "understood, and offered by Prosody's name",
    "muc#roomconfig_enablelogging": LOGS, "muc#roominfo_logs": LOGS,
    "muc#roominfo_contactjid": "addresses of owners are for those who are in the room",
    "muc#roominfo_ldapgroup": "rooms have no such groups",
}
FORMS = {
    "register": "allow email faqentry first last roomnick url",
    "request": "muc#role muc#jid muc#roomnick muc#request_allow",
    "roomconfig": "muc#maxhistoryfetch allowpm allowinvites changesubject enablelogging "
                  "getmemberlist lang pubsub maxusers membersonly moderatedroom "
                  "passwordprotectedroom persistentroom presencebroadcast publicroom roomadmins "
                  "roomdesc roomname roomowners roomsecret whois",
    "roominfo": "contactjid description lang ldapgroup logs occupants subject subjectmod",
}
FEATURES = {
    "muc_hidden": {"publicroom": "0"}, "muc_public": {"publicroom": "1"},
    "muc_membersonly": {"membersonly": "1"}, "muc_open": {"membersonly": "0"},
    "muc_moderated": {"moderatedroom": "1"}, "muc_unmoderated": {"moderatedroom": "0"},
    "muc_nonanonymous": {"whois": "anyone"}, "muc_semianonymous": {"whois": "moderators"},
    "muc_passwordprotected": {"roomsecret": "rose"}, "muc_unsecured": {"roomsecret": ""},
    "muc_persistent": {"persistentroom": "1"}, "muc_temporary": {"persistentroom": "0"},
    f"{MUC}#stable_id": {}, f"{MUC}#register": {}, f"{MUC}#roomconfig": {}, f"{MUC}#roominfo": {},
    f"{MUC}#request": {"moderatedroom": "1"}, MUC: {},
}  # and "muc_rooms": the items of a service are its rooms, that needs no feature
CODES = {100, 101, 104, 110, 170, 171, 172, 173, 201, 210, 301, 303, 307, 321, 322, 332, 333}
NOT_SENT = {102: "rooms do not show members who are unavailable", 103: "the same"}


def names(form):
    return {name if name.startswith("muc#") else f"muc#{form}_{name}"
            for name in FORMS[form].split()}


def fields_of(x):
    return {field.attr.get("var") for field in x.tags if field.name == "field"}


def submission(form, **values):
    fields = "".join(f"<field var='{name.replace('__', '#')}'><value>{value}</value></field>"
                     for name, value in {"FORM_TYPE": f"{MUC}#{form}", **values}.items())
    return f"<x xmlns='{DATA}' type='submit'>{fields}</x>"


def told(guest):
    return guest.client.receive_until(
        lambda one: one.name == "message" and one.get_child("x", DATA) is not None).get_child(
            "x", DATA)


def offered(party, form):
    """Return the fields that a form has somewhere."""
    juliet, romeo = party.pair(lang="en", moderatedroom="1", roomdesc="Verona",
                               pubsub="xmpp:pubsub.localhost?;node=hall")
    if form == "roomconfig":
        return set(juliet.form())
    if form == "roominfo":
        return fields_of(romeo.iq("get", f"<query xmlns='{INFO}'/>").tags[0].get_child("x", DATA))
    if form == "request":
        romeo.send(f"<message to='{party.room}'>"
                   + submission("request", muc__role="participant") + "</message>")
        return fields_of(told(juliet))
    query = "<query xmlns='jabber:iq:register'>{}</query>"
    first = fields_of(romeo.iq("get", query.format("")).tags[0].get_child("x", DATA))
    romeo.iq("set", query.format(submission("register", muc__register_roomnick="Romeo")))
    return first | fields_of(told(juliet))


@pytest.mark.parametrize("form", FORMS)
def test_each_field_is_offered_or_has_a_reason_not_to_be(party, form):
    found = offered(party, form)
    assert names(form) - found == names(form) & NOT_OFFERED.keys()


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_is_told(party, feature):
    juliet = party.owner(**FEATURES[feature])
    query = juliet.iq("get", f"<query xmlns='{INFO}'/>").tags[0]
    assert feature in {tag.attr.get("var") for tag in query.tags if tag.name == "feature"}


def seen(*guests):
    """Return all status codes that some have been told."""
    return set().union(*(codes(one) for guest in guests for one in guest.client.flush()))


def test_each_status_code_is_sent(party, rooms_server):
    juliet, romeo, nurse = party.guest("juliet"), party.guest("romeo"), party.guest("nurse")
    found = set().union(*map(codes, juliet.join()))  # 110, 170, 201
    juliet.configure()
    romeo.join()
    juliet.configure(whois="anyone")  # 104, 172
    found |= set().union(*map(codes, nurse.join()))  # 100
    romeo.send(f"<presence to='{party.room}/Montague'/>")  # 303
    juliet.configure(whois="moderators")  # 173
    juliet.submit({"muc#roomconfig_enablearchiving": "0"})  # 171
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="Roméo")
    found |= seen(juliet, romeo)
    romeo.nick = "Montague"
    romeo.leave()
    romeo.send(f"<presence to='{romeo.address}'>{JOIN}</presence>")  # 210
    found |= seen(romeo)
    juliet.configure(membersonly="1")  # 322
    juliet.admin("set", jid=romeo.bare_jid, affiliation="none")  # 321
    juliet.configure(membersonly="0")
    found |= seen(juliet, romeo, nurse)
    for answer in ("kick", "error", "ban"):
        nurse.flush().join()
        if answer == "kick":
            juliet.admin("set", nick="Nurse", role="none")  # 307
        elif answer == "ban":
            juliet.admin("set", jid=nurse.bare_jid, affiliation="outcast")  # 301
        else:
            bounced = builders.message({"to": juliet.address, "type": "error"})
            bounced.tag("error", type="cancel").tag("item-not-found", xmlns=STANZA_ERRORS)
            nurse.send(str(bounced.reset()))  # 333
        found |= seen(nurse, juliet)
    tybalt = party.guest("tybalt", available=True)
    juliet.admin("set", jid=tybalt.bare_jid, affiliation="member")  # 101
    found |= seen(tybalt)
    rooms = rooms_server.server.modules.get_module(HOST, "muc").rooms
    rooms.live[party.room].clear(builders.stanza("x", xmlns=USER).tag(
        "status", code="332").reset())  # as when the module is unloaded
    found |= seen(juliet)
    assert found == CODES and not found & NOT_SENT.keys()


@pytest.mark.parametrize(("node", "answer"), [
    ("x-roomuser-item", "result"), (f"{MUC}#traffic", "service-unavailable")])
def test_each_node_is_answered(party, node, answer):
    """The node muc#rooms is one of clients."""
    reply = party.owner().iq("get", f"<query xmlns='{INFO}' node='{node}'/>")
    assert answer in (reply.attr["type"], (reply.get_error() or [None, None])[1])
