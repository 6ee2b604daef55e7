"""Result set management: what is asked for, and what is answered."""

import pytest

from prosody_py.xmpp import rsm
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.parser import parse_fragment


def asked(inner):
    return rsm.page_request(parse_fragment(
        f"<query><set xmlns='http://jabber.org/protocol/rsm'>{inner}</set></query>"))


def test_no_set_asks_for_nothing():
    assert rsm.page_request(parse_fragment("<query/>")) is None


@pytest.mark.parametrize("inner, expected", [
    ("<max>10</max>", rsm.PageRequest(10)),
    ("<max>0</max>", rsm.PageRequest(0)),
    ("<max>10</max><after>x@y</after>", rsm.PageRequest(10, after="x@y")),
    ("<max>10</max><before/>", rsm.PageRequest(10, before="")),
    ("<before>x</before>", rsm.PageRequest(before="x")),
    ("<max>10</max><index>371</index>", rsm.PageRequest(10, index=371)),
])
def test_pages(inner, expected):
    assert asked(inner) == expected
    assert asked(inner).backwards is ("before" in inner)


@pytest.mark.parametrize("inner", ["<max>-1</max>", "<max/>", "<max>ten</max>",
                                   "<max>9999999999</max>", "<index>1.5</index>"])
def test_numbers_that_are_none(inner):
    with pytest.raises(StanzaError) as caught:
        asked(inner)
    assert caught.value.condition == "bad-request"


def test_answers():
    assert str(rsm.page("a", "b", 800, 0)) == (
        "<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last>"
        "<count>800</count></set>")
    assert str(rsm.page(count=0)) == (
        "<set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set>")
