"""What leaves the archive of a room: old, retracted and moderated messages (XEP-0424, XEP-0425)."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until
from prosody_py.xmpp.stanza import Stanza

RETRACT, MODERATE = "urn:xmpp:message-retract:1", "urn:xmpp:message-moderate:1"
SID = "urn:xmpp:sid:0"


def said(guest, body, inside=""):
    """Say something; return the id that the room has given it."""
    return guest.speak(body, inside).get_child("stanza-id", SID).attr["id"]


def retract(guest, id):
    return guest.speak("/me retracted", f"<retract xmlns='{RETRACT}' id='{id}'/>").attr["id"]


def graves(found):
    return [message.get_child("retracted", RETRACT) for message in found.messages]


def test_a_retracted_message_leaves_a_tombstone(juliet, romeo, guest):
    said(juliet, "stays")
    id = said(romeo, "goes", "<x xmlns='urn:example:x'/>")
    retraction = retract(romeo, id)
    found = juliet.told()
    assert found.bodies == ["stays", None, "/me retracted"] and found.ids[1] == id
    kept = found.messages[1]
    assert {tag.name for tag in kept.tags} == {"occupant-id", "retracted"}
    assert graves(found)[1].attr["id"] == retraction and graves(found)[1].attr["stamp"]
    assert kept.attr["from"] == f"{juliet.room}/Romeo"
    *history, _subject = guest("nurse").join()
    assert [one.get_child_text("body") for one in history] == ["stays", "/me retracted"]


def test_nobody_retracts_the_message_of_another(juliet, romeo):
    id = said(romeo, "his")
    retract(juliet, id)
    romeo.leave()
    juliet.client.send(f"<presence to='{juliet.room}/Romeo'/>").flush()  # takes the nickname
    retract(juliet, id)
    assert juliet.told().bodies[0] == "his"


def test_what_was_said_under_another_nickname_is_still_ones_own(juliet, romeo):
    id = said(romeo, "his")
    romeo.client.send(f"<presence to='{juliet.room}/Montague'/>").flush()
    retract(romeo, id)
    assert juliet.told().bodies[0] is None


def test_an_unknown_message_is_retracted_in_vain(juliet):
    retract(juliet, "unknown")
    retract(juliet, said(juliet, "x", f"<retract xmlns='{RETRACT}' id='1'/>"))
    assert juliet.told().bodies == ["/me retracted", "x", "/me retracted"]


def announcement(room, id):
    message = Stanza("message", {"from": room, "type": "groupchat", "id": "moderation-1"})
    message.tag("retract", xmlns=RETRACT, id=id).tag("moderated", xmlns=MODERATE,
                                                     by=f"{room}/Juliet").up()
    return message.text_tag("reason", "Not here").reset()


@pytest.mark.parametrize("by_event", [True, False])
def test_a_moderated_message_leaves_a_tombstone_that_says_so(server, juliet, romeo, by_event):
    id = said(romeo, "goes")
    module = server.server.modules.get_module("rooms.localhost", "muc")
    room = module.exports.get_room_from_jid(juliet.room)
    told = announcement(juliet.room, id)
    if by_event:
        module.fire_event("muc-moderated", SimpleNamespace(
            room=room, stanza=None, announcement=told, stanza_id=id))
    else:
        room.broadcast_message(told)
    found = juliet.told()
    grave = graves(found)[0]
    assert found.bodies[0] is None and grave.attr["id"] == "moderation-1"
    assert grave.get_child("moderated", MODERATE).attr["by"] == f"{juliet.room}/Juliet"
    assert grave.get_child_text("reason") == "Not here"
    assert len(found.ids) == (1 if by_event else 2)


def test_moderators_and_authors_by_mod_muc_moderation(other_rooms):
    _running, juliet = other_rooms(modules_enabled=["muc_mam", "muc_moderation"])
    ids = [said(juliet, text) for text in ("one", "two", "three")]
    assert juliet.client.iq("set", f"<moderate xmlns='{MODERATE}' id='{ids[0]}'><retract "
                            f"xmlns='{RETRACT}'/><reason>rude</reason></moderate>",
                            juliet.room).attr["type"] == "result"
    retract(juliet, ids[1])
    found = juliet.told()
    assert found.ids[:3] == ids
    assert found.bodies == [None, None, "three", None, "/me retracted"]
    moderated, retracted = graves(found)[:2]
    assert moderated.get_child("moderated", MODERATE).attr["by"] == f"{juliet.room}/Juliet"
    assert retracted.get_child("moderated", MODERATE) is None
    assert found.messages[3].get_child("retract", RETRACT).attr["id"] == ids[0]


def test_nobody_moderates_by_what_a_message_says(juliet, romeo):
    id = said(juliet, "stays")
    romeo.speak("x", f"<retract xmlns='{RETRACT}' id='{id}'><moderated xmlns='{MODERATE}' "
                f"by='{juliet.room}/Juliet'/></retract>")
    assert juliet.told().bodies == ["stays", "x"]


# -- options ---------------------------------------------------------------------------------


def store_of(running):
    return running.server.storage.open("rooms.localhost", "muc_log", "archive")


def make_older(running, seconds):
    store = store_of(running)
    for id, value, when, with_ in list(store.find("hall")[0]):
        store.set("hall", id, value, when - seconds, with_)


@pytest.mark.parametrize(("options", "left"), [
    ({}, ["new"]), ({"muc_log_expires_after": "2 weeks"}, ["old", "new"]),
    ({"archive_expires_after": "2 weeks"}, ["old", "new"]),
    ({"archive_expires_after": "2 weeks", "muc_log_expires_after": "1 day"}, ["new"]),
    ({"muc_log_expires_after": "never"}, ["old", "new"])])
def test_old_messages_are_deleted(other_rooms, options, left):
    running, juliet = other_rooms(**options)
    juliet.speak("old")
    make_older(running, 10 * 86400)
    juliet.speak("new")
    cron = running.server.modules.get_module("*", "cron")
    for task, _source in cron.tasks if cron is not None else ():
        task["run"](task, time.time())
    assert juliet.told().bodies == left


@pytest.mark.slow
def test_old_messages_are_looked_for_as_often_as_is_said(other_rooms):
    running, juliet = other_rooms(muc_log_expires_after="1 hour",
                                  muc_log_cleanup_interval="1 second")
    juliet.speak("old")
    make_older(running, 2 * 3600)
    wait_until(lambda: juliet.told().bodies == [])


def test_a_room_keeps_the_newest_of_too_many(other_rooms):
    _running, juliet = other_rooms(storage_archive_item_limit=2)
    for number in range(4):
        juliet.speak(f"line {number}")
    assert juliet.told().bodies == ["line 2", "line 3"]


def test_rooms_need_not_be_archived(other_rooms):
    _running, juliet = other_rooms(muc_log_by_default=False)
    assert juliet.speak("x").get_child("stanza-id", SID) is None
    assert juliet.told().error == "feature-not-implemented"
    juliet.owner(enablearchiving="1")
    juliet.speak("y")
    assert juliet.told().bodies == ["y"]


def test_all_rooms_may_have_to_be_archived(other_rooms):
    _running, juliet = other_rooms(muc_log_all_rooms=True, muc_log_by_default=False)
    assert "enablearchiving" not in str(juliet.client.iq(
        "get", "<query xmlns='http://jabber.org/protocol/muc#owner'/>", juliet.room))
    juliet.owner(enablearchiving="0")
    juliet.speak("x")
    assert juliet.told().bodies == ["x"]


@pytest.mark.parametrize("wanted", [True, False])
def test_who_comes_and_goes_is_kept_if_that_is_wanted(other_rooms, wanted):
    running, juliet = other_rooms(muc_log_presences=wanted)
    juliet.speak("x")
    juliet.client.send(f"<presence to='{juliet.room}/Jule'/>").flush()
    juliet.leave()  # the room is empty, but not gone, when its messages are read below
    kept = [(item[3], item[1].attr["from"]) for item in store_of(running).find("hall")[0]]
    assert kept == []  # a room that is not persistent goes with the last one in it
    juliet.join()
    juliet.owner(persistentroom="1")
    juliet.speak("y")
    juliet.leave()
    kept = [(item[3], item[1].attr["from"]) for item in store_of(running).find("hall")[0]]
    nick = f"{juliet.room}/Juliet"
    assert kept == ([("presence", nick)] if wanted else []) + [("message<groupchat", nick)] + (
        [("presence<unavailable", nick)] if wanted else [])
    assert juliet.told().bodies == ["y"]


def test_a_message_that_cannot_be_kept_is_sent_without_an_id(server, juliet, monkeypatch, caplog):
    def fail(*_args):
        raise StorageError("internal-server-error", "the disk is full")

    archive = server.server.modules.get_module("rooms.localhost", "muc_mam").archive
    with monkeypatch.context() as patch:
        patch.setattr(archive, "append", fail, raising=False)
        live = juliet.speak("x")
    assert live.get_child_text("body") == "x" and live.get_child("stanza-id", SID) is None
    assert "could not be archived: the disk is full" in caplog.text


def test_a_room_that_ended_with_the_server_leaves_nothing_to_the_next(other_rooms, tmp_path):
    file = {"storage": "sqlite", "sqlite_file": str(tmp_path / "rooms.sqlite")}
    _running, juliet = other_rooms(server=file)
    juliet.speak("between us")
    assert juliet.query(to=juliet.room).bodies == ["between us"]
    _running, another = other_rooms(server=file)  # as after the end of the first
    assert another.query(to=another.room).bodies == []
