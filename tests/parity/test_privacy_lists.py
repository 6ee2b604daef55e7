"""mod_privacy_lists of Debian, unmodified: who may reach whom (XEP-0016)."""

from __future__ import annotations

import pytest

PRIVACY, ROSTER, PING = "jabber:iq:privacy", "jabber:iq:roster", "<ping xmlns='urn:xmpp:ping'/>"


def privacy(client, type, inside=""):
    """Send a request for privacy lists; return the answer."""
    return client.iq(type, f"<query xmlns='{PRIVACY}'>{inside}</query>")


def item(order, action="deny", inside="", **attributes):
    given = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<item order='{order}' action='{action}'{given}>{inside}</item>"


def store(client, name, *items):
    answer = privacy(client, "set", f"<list name='{name}'>{''.join(items)}</list>")
    assert answer.attr["type"] == "result", str(answer)


def use(client, name, which="active"):
    answer = privacy(client, "set", f"<{which} name='{name}'/>" if name else f"<{which}/>")
    assert answer.attr["type"] == "result", str(answer)


def lists(client):
    query = privacy(client, "get").get_child("query", PRIVACY)
    return [(tag.name, tag.attr["name"]) for tag in query.tags]


def bodies(client):
    return [element.get_child_text("body") for element in client.flush()
            if element.name == "message" and element.attr.get("type") != "error"]


def write(sender, to, body):
    """Send a message; return the conditions of the errors that come back."""
    sender.send(f"<message to='{to}' type='chat'><body>{body}</body></message>")
    return [element.get_error()[1] for element in sender.flush()
            if element.name == "message" and element.attr.get("type") == "error"]


@pytest.fixture
def people(start_debian):
    """Return juliet and her contact romeo, and the stranger paris."""
    running = start_debian("privacy_lists")
    juliet, romeo, paris = (running.client(name).available()
                            for name in ("juliet", "romeo", "paris"))
    for client in (juliet, romeo):
        client.iq("get", f"<query xmlns='{ROSTER}'/>")
    for one, two in ((juliet, romeo), (romeo, juliet)):
        one.send(f"<presence to='{two.bare_jid}' type='subscribe'/>").flush()
        two.send(f"<presence to='{one.bare_jid}' type='subscribed'/>").flush()
    for client in (juliet, romeo, paris):
        client.flush()
    juliet.running = running
    return juliet, romeo, paris


def test_lists_are_stored_shown_changed_and_removed(people):
    juliet = people[0]
    assert lists(juliet) == []
    second = juliet.running.client("juliet", "second")
    store(juliet, "public", item(5, type="jid", value="paris@localhost"),
          item(2, "allow", "<message/><iq/>", type="subscription", value="both"))
    push = second.receive_until(lambda element: element.attr.get("type") == "set")
    assert push.get_child("query", PRIVACY).get_child("list").attr["name"] == "public"
    query = privacy(juliet, "get", "<list name='public'/>").get_child("query", PRIVACY)
    assert [(tag.attr["order"], tag.attr["action"], tag.attr["type"], tag.attr["value"],
             [child.name for child in tag.tags]) for tag in query.tags[0].tags] == [
        ("2", "allow", "subscription", "both", ["message", "iq"]),
        ("5", "deny", "jid", "paris@localhost", [])]
    store(juliet, "private", item(1))
    use(juliet, "private")
    assert sorted(lists(juliet)) == [("active", "private"), ("list", "private"), ("list", "public")]
    assert privacy(second, "set", "<list name='private'/>").get_error()[1] == "conflict"
    use(juliet, None)
    assert privacy(juliet, "set", "<list name='private'/>").attr["type"] == "result"
    assert lists(juliet) == [("list", "public")]


@pytest.mark.parametrize(("type", "inside", "condition"), [
    ("get", "<list name='none'/>", "item-not-found"),
    ("get", "<list name='a'/><list name='b'/>", "bad-request"),
    ("set", "<active name='none'/>", "item-not-found"),
    ("set", "<default name='none'/>", "item-not-found"),
    ("set", "<list name='none'/>", "bad-request"),
    ("set", "<active/><default/>", "bad-request"),
    ("set", f"<list name='x'>{item('one')}</list>", "bad-request"),
    ("set", f"<list name='x'>{item(1)}{item(1)}</list>", "bad-request"),
    ("set", f"<list name='x'>{item(1, 'maybe')}</list>", "bad-request"),
    ("set", f"<list name='x'>{item(1, type='colour', value='red')}</list>", "bad-request"),
    ("set", f"<list name='x'>{item(1, type='subscription', value='x')}</list>", "bad-request")])
def test_wrong_requests_get_errors(start_debian, type, inside, condition):
    juliet = start_debian("privacy_lists").client("juliet")
    assert privacy(juliet, type, inside).get_error()[1] == condition


def test_messages_of_a_jid_are_blocked_both_ways(people):
    juliet, romeo, paris = people
    store(juliet, "no paris", item(1, inside="<message/>", type="jid", value="paris@localhost"))
    use(juliet, "no paris")
    assert write(paris, juliet.jid, "to the resource") == ["service-unavailable"]
    assert write(paris, juliet.bare_jid, "to the account") == ["service-unavailable"]
    assert write(romeo, juliet.bare_jid, "I") == []
    assert bodies(juliet) == ["I"]
    write(juliet, paris.jid, "back")
    assert bodies(paris) == []
    use(juliet, None)
    write(paris, juliet.jid, "again")
    assert bodies(juliet) == ["again"]


def test_subscriptions_and_groups_decide(people):
    juliet, romeo, paris = people
    store(juliet, "friends", item(1, "allow", type="subscription", value="both"), item(2))
    use(juliet, "friends")
    for client in (romeo, paris):
        write(client, juliet.jid, client.bare_jid)
    assert bodies(juliet) == ["romeo@localhost"]
    juliet.iq("set", f"<query xmlns='{ROSTER}'><item jid='paris@localhost'><group>Suitors</group>"
              "</item></query>")
    store(juliet, "suitors", item(1, "allow", type="group", value="Suitors"), item(2))
    use(juliet, "suitors")
    for client in (romeo, paris):
        write(client, juliet.jid, client.bare_jid)
    assert bodies(juliet) == ["paris@localhost"]


def test_presence_is_blocked_in_and_out(people):
    juliet, romeo, _paris = people

    def seen(client):
        return [element.get_child_text("status") for element in client.flush()
                if element.name == "presence"]

    store(juliet, "hidden", item(1, inside="<presence-out/>", type="jid", value="romeo@localhost"))
    use(juliet, "hidden")
    juliet.send("<presence><status>out</status></presence>").flush()
    assert seen(romeo) == []
    romeo.send("<presence><status>in</status></presence>").flush()
    assert "in" in seen(juliet)
    store(juliet, "blind", item(1, inside="<presence-in/>", type="jid", value="romeo@localhost"))
    use(juliet, "blind")
    romeo.send("<presence><status>in again</status></presence>").flush()
    juliet.send("<presence><status>out again</status></presence>").flush()
    assert seen(romeo)[-1] == "out again" and "in again" not in seen(juliet)


def test_requests_are_blocked_in_both_directions(people):
    juliet, romeo, _paris = people
    store(juliet, "no iq", item(1, inside="<iq/>", type="jid", value="romeo@localhost"))
    use(juliet, "no iq")
    assert romeo.iq("get", PING, juliet.jid).get_error()[1] == "service-unavailable"
    assert juliet.iq("get", PING, romeo.jid).get_error()[1] == "service-unavailable"
    write(romeo, juliet.jid, "but messages pass")
    assert bodies(juliet) == ["but messages pass"]


def test_the_default_list_counts_for_sessions_without_an_active_one(people):
    juliet, _romeo, paris = people
    store(juliet, "default", item(1, type="jid", value="paris@localhost"))
    use(juliet, "default", "default")
    store(juliet, "open", item(1, "allow"))
    write(paris, juliet.jid, "one")
    use(juliet, "open")
    write(paris, juliet.jid, "two")
    assert bodies(juliet) == ["two"]
    juliet.close()
    again = juliet.running.client("juliet", "later").available()
    write(paris, again.jid, "three")
    assert bodies(again) == []
    assert lists(again)[0] == ("default", "default")


def test_beside_the_blocklist_what_either_denies_is_denied(start_debian):
    """XEP-0191 and XEP-0016 are two lists: neither lets pass what the other one stops."""
    running = start_debian("privacy_lists", modules=["blocklist"])
    juliet, paris, tybalt = (running.client(name).available()
                             for name in ("juliet", "paris", "tybalt"))
    blocking = "<{} xmlns='urn:xmpp:blocking'><item jid='paris@localhost'/></{}>"
    store(juliet, "all but tybalt", item(1, type="jid", value="tybalt@localhost"),
          item(2, "allow"))
    use(juliet, "all but tybalt")
    juliet.iq("set", blocking.format("block", "block"))
    assert write(paris, juliet.jid, "blocked") == ["service-unavailable"]
    assert write(tybalt, juliet.jid, "denied") == ["service-unavailable"]
    assert bodies(juliet) == []
    assert write(juliet, paris.jid, "blocked") == ["not-acceptable"]
    # What is changed in one list is not changed in the other.
    juliet.iq("set", blocking.format("unblock", "unblock"))
    juliet.iq("set", "<unblock xmlns='urn:xmpp:blocking'/>")
    assert write(paris, juliet.jid, "free") == []
    assert write(tybalt, juliet.jid, "denied still") == ["service-unavailable"]
    assert bodies(juliet) == ["free"]
    query = privacy(juliet, "get", "<list name='all but tybalt'/>").get_child("query", PRIVACY)
    assert len(query.tags[0].tags) == 2
