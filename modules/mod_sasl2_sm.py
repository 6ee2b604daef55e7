"""XEP-0198 section 7: stream management as part of logging in; the work is done by mod_smacks.

A session is resumed before anything else, and then no resource is bound. Stream management is
enabled together with the binding (mod_sasl2_bind2). What is left to do once the client has been
told is kept on the session as `sasl2_sm_success`.
"""

from __future__ import annotations

from prosody_py.api import hook, ns, stanza

DEPENDS = ("sasl2", "smacks")
SASL2 = "urn:xmpp:sasl:2"
XMLNS = "urn:xmpp:sm:3"


def load(module):
    """Keep what does the work."""
    module.smacks = module.depends("smacks")


@hook("advertise-sasl-features")
def offer(module, event):
    """Offer to resume a session."""
    event.features.add_child(stanza.stanza("sm", xmlns=XMLNS))


@hook("advertise-bind-features")
def offer_enabling(module, event):
    """Offer to enable stream management together with binding."""
    event.features.tag("feature", var=XMLNS).up()


@hook(f"stanza/{SASL2}:authenticate", priority=100)
def note(module, event):
    """Keep what the client asks for until it has logged in."""
    event.origin.extras["sasl2_sm_request"] = event.stanza.get_child("resume", XMLNS)


@hook("sasl2/c2s/success", priority=110)
def resume(module, event):
    """Resume the session that is asked for, or say why not and let a new one be bound.

    Who acknowledges more than was sent gets a stream error (section 6).
    """
    session = event.session
    request = session.extras.pop("sasl2_sm_request", None)
    if request is None:
        return None
    done, error = result_of(module.smacks.do_resume(session, request))
    if done is None:
        if (stream_error := getattr(error, "stream_error", None)) is not None:
            session.rawsend(stream_error)
            session.close()
            return True
        event.success.add_child(failed(error))
        return None
    event.session = resumed = done["session"]
    resumed.extras["sasl2_sm_success"] = done
    event.success.add_child(stanza.stanza(
        "resumed", xmlns=XMLNS, h=str(resumed.extras.get("handled_stanza_count") or 0),
        previd=done["id"]))
    return None


@hook("enable-bind-features")
def enable(module, event):
    """Enable stream management for the session that was just bound."""
    session = event.session
    request = event.request.get_child("enable", XMLNS)
    if request is None:
        return
    done, error = result_of(module.smacks.do_enable(session, request))
    if done is None:
        event.result.add_child(failed(error))
        return
    session.extras["sasl2_sm_success"] = done
    attr, id, most = {"xmlns": XMLNS}, done.get("id"), done.get("resume_max")
    if id:
        attr.update({"id": id, "resume": "true", **({"max": str(most)} if most else {})})
    event.result.add_child(stanza.stanza("enabled", attr))


@hook("sasl2/c2s/success", priority=-1100)
def finish(module, event):
    """Begin to count, or send what the client has missed, once it has been told."""
    done = event.session.extras.pop("sasl2_sm_success", None)
    if done is not None:
        done["finish"]()


@hook("sasl2/c2s/failure")
def forget(module, event):
    """Nothing is asked for any more."""
    event.session.extras["sasl2_sm_request"] = None


def result_of(answer):
    """Return (what mod_smacks has done, None) or (None, its error)."""
    if type(answer) is tuple:
        return (answer[0], None) if answer[0] is not None else (None, answer[1])
    return answer, None


def failed(error):
    """Return <failed/> with a stanza error's condition, and how much was handled if known."""
    condition = getattr(error, "condition", None) or error or "unexpected-request"
    h, text = getattr(error, "h", None), getattr(error, "text", None)
    answer = stanza.stanza("failed", xmlns=XMLNS, h=None if h is None else str(h))
    answer.tag(condition, xmlns=ns.STANZA_ERRORS).up()
    return answer.text_tag("text", text, xmlns=ns.STANZA_ERRORS) if text else answer
