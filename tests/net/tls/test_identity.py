from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.net.tls import client_addresses, verify_identity
from prosody_py.net.tls.identity import (
    XMPP_ADDR,
    decode_string,
    encode_string,
    hosts_named,
    srv_name,
    xmpp_address,
)


@pytest.mark.parametrize("name, host, good", [
    ("host.example", "host.example", True),
    ("HOST.example", "host.EXAMPLE", True),
    ("host.example", "a.host.example", False),
    ("*.host.example", "a.host.example", True),
    ("*.host.example", "host.example", False),
    ("*.host.example", "a.b.host.example", False),
    ("a.*.example", "a.b.example", False),
    ("f*.host.example", "foo.host.example", False),
    ("*", "example", False),
    ("xn--bcher-kva.example", "bücher.example", True),
    ("host.example", "", False),
    ("host.example", "host.example/x", False),
])
def test_a_dns_name_matches_by_whole_labels(issue, name, host, good):
    assert verify_identity(issue(name).certificate, host, "xmpp-client") is good


def test_an_srv_name_is_for_its_service_only(issue):
    certificate = issue(other=[srv_name("xmpp-server", "host.example")]).certificate
    assert verify_identity(certificate, "host.example", "xmpp-server")
    assert not verify_identity(certificate, "host.example", "xmpp-client")
    assert hosts_named(certificate) == ("host.example",)


def test_an_srv_name_of_another_service_does_not_name_a_host_for_xmpp(issue):
    assert hosts_named(issue(other=[srv_name("imap", "host.example")]).certificate) == ()


def test_an_xmpp_address_without_local_part_names_the_domain(issue):
    certificate = issue(other=[xmpp_address("bücher.example")]).certificate
    assert verify_identity(certificate, "bücher.example", "xmpp-server")
    assert verify_identity(certificate, "xn--bcher-kva.example", "xmpp-server")
    user = issue(other=[xmpp_address("me@host.example")]).certificate
    assert not verify_identity(user, "host.example", "xmpp-server")


def test_an_ip_address_matches_only_itself(issue):
    certificate = issue("host.example", other=[x509.IPAddress(ip_address("::1"))]).certificate
    assert verify_identity(certificate, "[::1]", "xmpp-server")
    assert not verify_identity(certificate, "127.0.0.1", "xmpp-server")
    assert not verify_identity(issue("*.0.0.1").certificate, "127.0.0.1", "xmpp-server")


def test_the_common_name_counts_only_without_other_names(issue):
    assert verify_identity(issue(cn="host.example").certificate, "host.example", "xmpp-server")
    certificate = issue(cn="host.example", other=[srv_name("x", "y.test")]).certificate
    assert not verify_identity(certificate, "host.example", "xmpp-server")


def test_client_addresses_are_prepared_and_wrong_ones_left_out(issue):
    names = [xmpp_address(name) for name in ("Me@Host.example", "me@host.example", "@", "a@b@c/")]
    broken = x509.OtherName(XMPP_ADDR, b"\x16\x01x")
    certificate = issue("host.example", other=[*names, broken]).certificate
    assert client_addresses(certificate) == ["me@host.example"]
    assert client_addresses(issue("host.example").certificate) == []


@settings(max_examples=100)
@given(st.text(min_size=1, max_size=600).filter(lambda text: "\0" not in text))
def test_a_string_survives_der(text):
    assert decode_string(encode_string(text, 0x0C), 0x0C) == text


@settings(max_examples=300)
@given(st.binary(max_size=40))
def test_any_bytes_decode_to_none_or_to_what_encodes_to_them(data):
    text = decode_string(data, 0x0C)
    assert text is None or encode_string(text, 0x0C) == data


@pytest.mark.parametrize("der", [
    b"", b"\x0c", b"\x0c\x00", b"\x0c\x02a", b"\x0c\x01ab", b"\x16\x01a", b"\x0c\x80a\0\0",
    b"\x0c\x81\x01a", b"\x0c\x84\0\0\0\x01a", b"\x0c\x01\xff", b"\x0c\x03a\0b",
    b"\x0c\x82\x10\x00" + b"a" * 4096,
])
def test_what_is_not_one_whole_string_in_der_is_none(der):
    assert decode_string(der, 0x0C) is None


def test_broken_extensions_name_nobody(issue):
    issued = issue(cn="host.example")
    certificate = issued.certificate
    builder = (
        x509.CertificateBuilder().subject_name(certificate.subject)
        .issuer_name(certificate.subject).public_key(issued.key.public_key()).serial_number(1)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_before_utc + timedelta(days=9))
        .add_extension(x509.UnrecognizedExtension(
            x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x50x"), critical=False))
    broken = builder.sign(issued.key, certificate.signature_hash_algorithm)
    assert hosts_named(broken) == ()
    assert not verify_identity(broken, "host.example", "xmpp-server")
    assert client_addresses(broken) == []
