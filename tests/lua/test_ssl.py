"""LuaSec: contexts, TLS on sockets, certificates; and what a connection tells about its TLS."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from gevent import socket
from gevent.server import StreamServer
from gevent.ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, SSLContext

from prosody_py.net.tls import selfsigned


@pytest.fixture
def running(start_lua):
    return start_lua(lua="""
        module:set_global();
        module:provides("net", { name = "facts", default_port = 0, encryption = "ssl",
            ssl_config = { alpn = function () return { "one", "two" }; end },
            listener = { onconnect = function (conn)
                local sock = conn:socket();
                local info, chain, errors = conn:ssl_info(), sock:getpeerverification();
                local cert = conn:ssl_peercertificate();
                conn:write(table.concat({ tostring(conn:ssl()), info.protocol, info.cipher,
                    tostring(sock:getalpn()), tostring(sock:getsniname()), tostring(cert),
                    tostring(chain),
                    #conn:ssl_exportkeyingmaterial("EXPORTER-Channel-Binding", 32, ""),
                    #sock:getfinished(), #conn:ssl_peerfinished(),
                    tostring(sock:getlocalcertificate():subject()[1].value) }, " ") .. "\\n");
            end } });
    """)


@pytest.fixture
def run(running):
    border = running.server.lua

    def call(source, *args):
        source = 'local socket, ssl = require "socket", require "ssl"; ' + source
        chunk = border.compile(source.encode(), "test.lua", border.lua.globals())
        result = border.driver.call(chunk, *map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.to_python, result))
        return border.to_python(result)

    return call


@pytest.fixture
def made(tmp_path):
    """Return a self-signed certificate for localhost."""
    return selfsigned.make("localhost", tmp_path)


def test_what_a_connection_tells_about_its_tls(running):
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, CERT_NONE
    context.set_alpn_protocols(["two", "three"])
    raw = socket.create_connection(running.address("facts"), 5)
    with context.wrap_socket(raw, server_hostname="localhost") as sock:
        line = sock.recv(1000).decode().split()
        assert line[:2] == ["true", "TLSv1.3"] and line[2] == sock.cipher()[0]
        assert line[3:8] == ["two", "localhost", "nil", "false", "32"]
        assert int(line[8]) > 0 and int(line[9]) > 0 and line[10] == "localhost"


def serve(path, key_path):
    """Serve one TLS connection on a free port: answer each line with itself."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)

    def handle(sock, _address):
        with context.wrap_socket(sock, server_side=True) as tls:
            while data := tls.recv(100):
                tls.sendall(data)

    server = StreamServer(("127.0.0.1", 0), handle)
    server.start()
    return server


def test_a_socket_gets_tls_and_sees_the_certificate(run, made):
    server = serve(made.path, made.key_path)
    digest = made.leaf.fingerprint(hashes.SHA1()).hex()
    assert run("""
        local port, digest = ...;
        local raw = assert(socket.connect("127.0.0.1", port));
        local s = assert(ssl.wrap(raw, { mode = "client", protocol = "any", verify = "none" }));
        s:settimeout(5); s:sni("localhost");
        assert(s:dohandshake());
        s:send("secret\\n");
        local line, cert = s:receive(), s:getpeercertificate();
        local ok, errors = s:getpeerverification();
        local result = { line, cert:digest() == digest, ok, #s:getpeerchain(), s:info("protocol"),
            type(errors[1][1]), s:getsniname() };
        s:close();
        return unpack(result);
    """, server.server_port, digest) == ("secret", True, False, 1, "TLSv1.3", "string",
                                         "localhost")
    server.stop()


def test_verify_peer_refuses_a_stranger_unless_it_is_to_go_on(run, made):
    server = serve(made.path, made.key_path)
    source = """
        local port, ca, more = ...;
        local context = assert(ssl.newcontext { mode = "client", verify = { "peer" },
            cafile = ca, verifyext = more and { "lsec_continue" } or nil });
        local s = assert(ssl.wrap(assert(socket.connect("127.0.0.1", port)), context));
        s:settimeout(5);
        local ok, err = s:dohandshake();
        if not ok then return ok, err; end
        return s:getpeerverification();
    """
    port = server.server_port
    assert run(source, port) == (None, "certificate verify failed")
    assert run(source, port, None, True)[0] is False
    assert run(source, port, str(made.path)) is True
    server.stop()


def test_options_that_make_no_sense_have_an_error(run, tmp_path):
    assert run('return ssl.newcontext { mode = "client", protocol = "sslv2" }') == (
        None, "invalid protocol (sslv2)")
    none, reason = run('return ssl.newcontext { mode = "server", certificate = ... }',
                       str(tmp_path / "none.crt"))
    assert none is None and "none.crt" in reason


def test_a_certificate_in_lua(run, made):
    pem = made.path.read_text()
    assert run("""
        local cert = ssl.loadcertificate(...);
        local names = cert:extensions()["2.5.29.17"];
        return cert:pem() == ..., cert:subject()[1].name, cert:subject()[1].oid,
            cert:issuer()[1].value, names.dNSName[1], names["1.3.6.1.5.5.7.8.5"][1],
            names["1.3.6.1.5.5.7.8.7"][1], names["1.3.6.1.5.5.7.8.7"].name,
            #cert:digest("sha256"), cert:validat(os.time()), cert:validat(0),
            select(2, cert:pubkey()), select(3, cert:pubkey()), cert:issued(cert),
            cert:setencode("utf8"), select(2, cert:digest("nothing"));
    """, pem) == (True, "commonName", "2.5.4.3", "localhost", "localhost", "localhost",
                  "_xmpp-client.localhost", "SRVName", 64, True, False, "EC", 256, True, True,
                  "digest algorithm not supported (nothing)")
    assert run("return ssl.loadcertificate('junk')") is None


def test_dates_and_serial_are_written_as_luasec_does(run, made):
    serial, before = run("""
        local cert = ssl.loadcertificate(...);
        return cert:serial(), cert:notbefore();
    """, made.path.read_text())
    leaf = x509.load_pem_x509_certificate(made.path.read_bytes())
    assert serial == f"{leaf.serial_number:X}"
    when = leaf.not_valid_before_utc
    assert before == f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"


def test_util_x509_reads_these_certificates(run, made):
    assert run("""
        local x509 = require "util.x509";
        local cert = ssl.loadcertificate(...);
        return x509.verify_identity("localhost", "_xmpp-server", cert),
            x509.verify_identity("example.com", nil, cert),
            x509.pem2der(...) ~= nil;
    """, made.path.read_text()) == (True, False, True)


def test_certmanager_makes_contexts_of_the_servers_certificates(run):
    assert run("""
        local certmanager = require "core.certmanager";
        local found = certmanager.find_host_cert("localhost");
        local context, err, config = certmanager.create_context("localhost", "server");
        local other, why = certmanager.create_context("unknown.example", "server");
        local client = certmanager.create_context("localhost", "client");
        return found.certificate == config.certificate, config.mode, context.mode, client.mode,
            other, why,
            next(certmanager.index_certs("ignored", {})["localhost"]) == found.certificate;
    """) == (True, "server", "server", "client", None,
             "No certificate present in SSL/TLS configuration for unknown.example", True)


def test_a_clients_session_shows_its_tls(running, run):
    client = running.client("juliet", tls=True)
    assert run("""
        local session = prosody.full_sessions[...];
        local sock = session.conn:socket();
        return session.conn:ssl(), sock:info().protocol, sock:getpeercertificate(),
            type(session.conn:ip()), session.conn:serverport() > 0;
    """, client.jid) == (True, "TLSv1.3", None, "string", True)
