import ssl

import pytest

from prosody_py.net.tls import CertificateIndex, ServerContexts, selfsigned, verify_identity


@pytest.mark.parametrize("host", ["host.example", "chat.host.example"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_client_that_trusts_it_accepts_it_for_host_and_components(
        tmp_path, serving, client_context, host, strict):
    made = selfsigned.make("host.example", tmp_path)
    context = ServerContexts(CertificateIndex(tmp_path)).for_host("host.example")
    client = client_context(trusting=made.leaf)
    if strict:
        client.verify_flags |= ssl.VERIFY_X509_STRICT
    with serving(context) as (_, sock), client.wrap_socket(sock, server_hostname=host) as peer:
        assert ("DNS", "host.example") in peer.getpeercert()["subjectAltName"]


def test_a_client_that_does_not_trust_it_refuses_it(tmp_path, serving, client_context):
    selfsigned.make("host.example", tmp_path)
    context = ServerContexts(CertificateIndex(tmp_path)).for_host("host.example")
    with serving(context) as (_, sock), pytest.raises(ssl.SSLCertVerificationError):
        client_context().wrap_socket(sock, server_hostname="host.example")


def test_names_are_a_labels_and_both_services(tmp_path):
    made = selfsigned.make("Bücher.example", tmp_path)
    assert made.path.name == "xn--bcher-kva.example.crt"
    assert made.names == ("xn--bcher-kva.example", "*.xn--bcher-kva.example")
    for service in ("xmpp-client", "xmpp-server"):
        assert verify_identity(made.leaf, "bücher.example", service)


def test_an_address_is_an_address_in_it(tmp_path):
    assert selfsigned.make("127.0.0.1", tmp_path).names == ("127.0.0.1",)


def test_the_key_is_for_its_owner_only_and_nothing_else_is_left(tmp_path):
    made = selfsigned.make("host.example", tmp_path)
    assert made.key_path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "host.example.crt", "host.example.key"]


@pytest.mark.parametrize("there", ["host.example.crt", "host.example.key"])
def test_nothing_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(FileExistsError):
        selfsigned.make("host.example", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("host", ["", "../x", "a/b", "no host", "*.example", "x" * 300])
def test_what_is_no_host_is_refused(tmp_path, host):
    with pytest.raises(ValueError):
        selfsigned.make(host, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_long_host_name_fits(tmp_path):
    host = ".".join(["a" * 60, "b" * 60, "example"])
    assert selfsigned.make(host, tmp_path).names[0] == host
