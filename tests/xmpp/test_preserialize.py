"""Elements as stored data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.preserialize import MAX_DEPTH, deserialize, preserialize
from prosody_py.xmpp.stanza import Stanza

names = st.sampled_from(("a", "b", "vCard"))
attrs = st.dictionaries(st.sampled_from(("xmlns", "x", "urn:x\x01y")), st.text(max_size=5))


def build(name, attr, children):
    element = Stanza(name, attr)
    element.children = children
    return element


elements = st.recursive(
    st.builds(build, names, attrs, st.lists(st.text(min_size=1, max_size=5), max_size=2)),
    lambda inner: st.builds(build, names, attrs,
                            st.lists(inner | st.text(min_size=1, max_size=5), max_size=3)),
    max_leaves=6)


def shape(element):
    return (element.name, element.attr,
            [child if isinstance(child, str) else shape(child) for child in element.children])


@settings(max_examples=50)
@given(elements)
def test_what_is_stored_comes_back_equal(element):
    assert shape(deserialize(preserialize(element))) == shape(element)


def test_old_form_of_a_namespaced_attribute_is_understood():
    assert deserialize({"name": "a", "attr": {"urn:x|y": "1"}}).attr == {"urn:x\x01y": "1"}


@pytest.mark.parametrize("stored", [None, True, "text", [], {}, {"name": 5}])
def test_what_is_no_element_is_none(stored):
    assert deserialize(stored) is None


def test_attributes_that_were_written_as_a_list_are_none():
    assert deserialize({"name": "a", "attr": []}).attr == {}


def test_deep_nesting_is_refused():
    element = Stanza("a")
    for _level in range(MAX_DEPTH):
        outer = Stanza("a")
        outer.children.append(element)
        element = outer
    with pytest.raises(StanzaError):
        preserialize(element)
