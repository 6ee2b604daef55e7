"""vCards in both forms (XEP-0054, XEP-0292)."""

from __future__ import annotations

import pytest

from prosody_py.xmpp.parser import StreamParser
from prosody_py.xmpp.vcard import TEMP, VCARD4, to_temp, to_vcard4

# Of XEP-0292 section 9, shortened.
OLD = """<FN>Peter Saint-Andre</FN>
<N><FAMILY>Saint-Andre</FAMILY><GIVEN>Peter</GIVEN><MIDDLE/></N>
<NICKNAME>stpeter</NICKNAME><NICKNAME>psa</NICKNAME><BDAY>1966-08-06</BDAY>
<ADR><WORK/><PREF/><EXTADD>Suite 600</EXTADD><STREET>1899 Wynkoop Street</STREET>
<LOCALITY>Denver</LOCALITY><REGION>CO</REGION><PCODE>80202</PCODE><CTRY>USA</CTRY></ADR>
<TEL><WORK/><VOICE/><PREF/><NUMBER>+1-303-308-3282</NUMBER></TEL>
<TEL><VOICE/><CELL/><TEXT/><NUMBER>+1-720-256-6756</NUMBER></TEL>
<EMAIL><INTERNET/><PREF/><USERID>stpeter@jabber.org</USERID></EMAIL>
<EMAIL><INTERNET/><WORK/><USERID>psaintan@cisco.com</USERID></EMAIL>
<JABBERID>stpeter@jabber.org</JABBERID><TZ>America/Denver</TZ>
<GEO><LAT>39.59</LAT><LON>-105.01</LON></GEO>
<TITLE>Executive Director</TITLE><ROLE>Patron Saint</ROLE>
<LOGO><TYPE>image/jpeg</TYPE><BINVAL>cGljdHVyZQ==</BINVAL></LOGO>
<ORG><ORGNAME>XSF</ORGNAME><ORGUNIT>Board</ORGUNIT></ORG>
<URL>https://stpeter.im/</URL><URL>http://www.saint-andre.com/</URL>
<CATEGORIES><KEYWORD>a</KEYWORD><KEYWORD>b</KEYWORD></CATEGORIES>
<KEY><CRED>a key</CRED></KEY><NOTE>More information</NOTE>""".replace("\n", "")
NEW = """<fn><text>Peter Saint-Andre</text></fn>
<n><surname>Saint-Andre</surname><given>Peter</given><additional/></n>
<nickname><text>stpeter</text></nickname><nickname><text>psa</text></nickname>
<bday><date>1966-08-06</date></bday>
<adr><parameters><type><text>work</text></type><pref><integer>1</integer></pref></parameters>
<ext>Suite 600</ext><street>1899 Wynkoop Street</street><locality>Denver</locality>
<region>CO</region><code>80202</code><country>USA</country></adr>
<tel><parameters><type><text>work</text><text>voice</text></type><pref><integer>1</integer></pref>
</parameters><uri>tel:+1-303-308-3282</uri></tel>
<tel><parameters><type><text>voice</text><text>cell</text><text>text</text></type></parameters>
<uri>tel:+1-720-256-6756</uri></tel>
<email><parameters><pref><integer>1</integer></pref></parameters><text>stpeter@jabber.org</text>
</email><email><parameters><type><text>work</text></type></parameters>
<text>psaintan@cisco.com</text></email>
<impp><uri>xmpp:stpeter@jabber.org</uri></impp><tz><text>America/Denver</text></tz>
<geo><uri>geo:39.59,-105.01</uri></geo><title><text>Executive Director</text></title>
<role><text>Patron Saint</text></role>
<logo><uri>data:image/jpeg;base64,cGljdHVyZQ==</uri></logo>
<org><text>XSF</text><text>Board</text></org><url><uri>https://stpeter.im/</uri></url>
<url><uri>http://www.saint-andre.com/</uri></url>
<categories><text>a</text><text>b</text></categories><key><text>a key</text></key>
<note><text>More information</text></note>""".replace("\n", "")


def parse(name, xmlns, inside):
    parser = StreamParser(100_000, single=False)
    parser.feed(b"<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'>")
    (element,) = parser.feed(f"<{name} xmlns='{xmlns}'>{inside}</{name}>".encode())
    return element


def inside(element):
    return "".join(map(str, element.tags)).replace(f" xmlns='{VCARD4}'", "").replace(
        f" xmlns='{TEMP}'", "")


def test_the_example_of_the_specification():
    assert inside(to_vcard4(parse("vCard", TEMP, OLD))) == NEW
    assert to_vcard4(parse("vCard", TEMP, OLD)).attr == {"xmlns": VCARD4}


def test_and_back():
    # The order of the types of a telephone is our own.
    assert inside(to_temp(parse("vcard", VCARD4, NEW))) == OLD
    assert to_temp(parse("vcard", VCARD4, NEW)).name == "vCard"


@pytest.mark.parametrize(("old", "new"), [
    ("<DESC>x</DESC>", "<note><text>x</text></note>"),
    ("<PHOTO><BINVAL>eA==</BINVAL></PHOTO>", ""), ("<MAILER>x</MAILER>", ""),
    ("<PHOTO><EXTVAL>http://x</EXTVAL></PHOTO>", "<photo><uri>http://x</uri></photo>"),
    ("<LOGO><EXTVAL>http://x</EXTVAL></LOGO>", "<logo><uri>http://x</uri></logo>"),
    ("<SOUND><PHONETIC>x</PHONETIC></SOUND>", ""), ("<TEL/>", "<tel><uri>tel:</uri></tel>"),
    ("<EMAIL>a@b</EMAIL>", "<email><text>a@b</text></email>"), ("<ORG/>", "<org/>"),
])
def test_odd_old_ones(old, new):
    assert inside(to_vcard4(parse("vCard", TEMP, old))) == new


@pytest.mark.parametrize(("new", "old"), [
    ("<group name='g'><fn><text>x</text></fn></group>", "<FN>x</FN>"),
    ("<bday><text>circa 1800</text></bday>", "<BDAY>circa 1800</BDAY>"),
    ("<impp><uri>sip:x</uri></impp>", ""), ("<org/>", "<ORG><ORGNAME/></ORG>"),
    ("<geo><uri>geo:1,2;u=3</uri></geo>", "<GEO><LAT>1</LAT><LON>2</LON></GEO>"),
    ("<uid><uri>urn:x</uri></uid>", "<UID>urn:x</UID>"),
    ("<logo><uri>http://x</uri></logo>", "<LOGO><EXTVAL>http://x</EXTVAL></LOGO>"),
    ("<photo><uri>data:image/png;base64,eA==</uri></photo>",
     "<PHOTO><TYPE>image/png</TYPE><BINVAL>eA==</BINVAL></PHOTO>"),
    ("<unheard-of/>", ""), ("<fn/>", "<FN/>"),
])
def test_odd_new_ones(new, old):
    assert inside(to_temp(parse("vcard", VCARD4, new))) == old
