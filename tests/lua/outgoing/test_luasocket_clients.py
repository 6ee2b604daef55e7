"""LuaSocket's clients socket.http and socket.smtp in both runtimes."""

from __future__ import annotations

import gevent
import gevent.server


def test_socket_http_waits_without_holding_up_the_server(asking, web):
    asking.load("""
        local client, ltn12 = require "socket.http", require "ltn12";
        module:hook("simple", function ()
            local body, code, headers, line = client.request(base .. "/hello");
            local _, posted = client.request(base .. "/404", "a=b");
            return table.concat({ body, code, headers["x-y"], line, posted }, " ");
        end);
        module:hook("table", function ()
            local parts = {};
            local one, code = client.request { url = base .. "/redirect", method = "GET",
                sink = ltn12.sink.table(parts), headers = { ["X-A"] = 1 } };
            local _, unfollowed = client.request { url = base .. "/redirect", redirect = false };
            local _, put = client.request { url = base .. "/hello", method = "PUT",
                source = ltn12.source.string("body"), headers = { ["content-length"] = 4 } };
            return table.concat({ one, code, table.concat(parts), unfollowed, put }, " ");
        end);
        module:hook("wrong", function ()
            local out = {};
            for _, url in ipairs { "http://127.0.0.1:1/", base .. "/close", "nonsense" } do
                local body, why = client.request(url);
                out[#out + 1] = tostring(body) .. " " .. why;
            end
            return table.concat(out, ", ");
        end);
    """)
    fire = asking.fire
    ticks = []
    ticker = gevent.spawn(lambda: [ticks.append(gevent.sleep(0.001)) for _ in range(10_000)])
    assert fire("simple") == "hello 200 z HTTP/1.1 200 OK 404"
    assert fire("table") == "1 200 hello 302 200"
    assert fire("wrong") == ("nil connection refused, nil closed, "
                                   "nil invalid host 'nonsense'")
    ticker.kill()
    assert ticks
    assert [body for head, body in web.requests if head.startswith("PUT")] == [b"body"]


class MailServer:
    """Takes mail for everybody but "bad"."""

    def __init__(self):
        self.lines, self.mails = [], []
        self.server = gevent.server.StreamServer(("127.0.0.1", 0), self._serve)
        self.server.start()
        self.port = self.server.server_port

    def _serve(self, sock, _address):
        file = sock.makefile("rwb", 0)
        file.write(b"220 here\r\n")
        text = None
        for line in file:
            if text is not None:
                text.append(line)
                if line == b".\r\n":
                    self.mails.append(b"".join(text))
                    text = None
                    file.write(b"250 taken\r\n")
                continue
            self.lines.append(line.decode().strip())
            verb = line[:4].upper()
            if verb == b"EHLO":
                file.write(b"250-here\r\n250 AUTH PLAIN\r\n")
            elif verb == b"AUTH":
                file.write(b"235 yes\r\n")
            elif verb == b"DATA":
                text = []
                file.write(b"354 go on\r\n")
            elif verb == b"QUIT":
                file.write(b"221 bye\r\n")
                break
            else:
                file.write(b"550 nobody\r\n" if b"bad" in line else b"250 fine\r\n")
        sock.close()


def test_socket_smtp_sends_mail(asking):
    server = MailServer()
    asking.load(f"""
        local smtp = require "socket.smtp";
        module:hook("send", function (event)
            return tostring(smtp.send {{ from = "<a@b.example>", rcpt = {{ "<c@d.example>",
                "<e@f.example>" }}, server = "127.0.0.1", port = {server.port}, user = "me",
                password = "secret", domain = "own.example", source = smtp.message {{
                    headers = {{ subject = "Hi\\nBcc: x@y.example", to = "c@d.example" }},
                    body = "first\\n.second\\r\\nthird" }} }});
        end);
        module:hook("parts", function ()
            return tostring(smtp.send {{ from = "a@b.example", rcpt = "c@d.example",
                server = "127.0.0.1", port = {server.port}, source = smtp.message {{
                    headers = {{}}, body = {{ preamble = "pre", {{ body = "one" }}, {{
                        headers = {{ ["content-type"] = "text/html" }}, body = "two" }} }} }} }});
        end);
        module:hook("wrong", function ()
            local _, refused = smtp.send {{ from = "a@b.example", rcpt = "bad@d.example",
                server = "127.0.0.1", port = {server.port},
                source = smtp.message {{ body = "" }} }};
            local _, nobody = smtp.send {{ from = "a@b.example", rcpt = "x@d.example",
                server = "127.0.0.1", port = 1 }};
            local _, tricky = smtp.send {{ from = "a@b.example", rcpt = "x@d\\r\\nDATA",
                server = "127.0.0.1", port = {server.port} }};
            return refused .. ", " .. nobody .. ", " .. tricky;
        end);
    """)
    fire = asking.fire
    assert fire("send") == "1"
    head, _, body = server.mails[0].partition(b"\r\n\r\n")
    assert b"Subject: Hi Bcc: x@y.example" in head and b"\r\nBcc:" not in head
    assert body == b"first\r\n..second\r\nthird\r\n.\r\n"
    assert server.lines[0] == "ehlo own.example" and server.lines[1].startswith("AUTH PLAIN ")
    assert [line for line in server.lines if line.startswith("rcpt")] == [
        "rcpt TO:<c@d.example>", "rcpt TO:<e@f.example>"]
    assert fire("parts") == "1"
    assert b"multipart/mixed; boundary=" in server.mails[1]
    assert server.mails[1].count(b"\r\n--") == 3
    assert fire("wrong") == ("550 nobody, connection refused, "
                                   "an address has a control character in it")
    server.server.stop(timeout=0)


def test_a_module_gives_all_others_a_way_to_send_mail_and_to_keep_accounts(start_lua):
    """As mod_email and mod_audit do; before that the two are nil, and modules ask for them."""
    server = MailServer()
    running = start_lua(early="""
        had = module.send_email ~= nil or module.audit ~= nil;
        function tell(to)
            module:audit(to, "told", { source = module.name });
            return module:send_email { to = to, subject = "Hello", body = "text" };
        end
    """, mailer=f"""
        module:set_global();
        local moduleapi, smtp = require "core.moduleapi", require "socket.smtp";
        assert(not moduleapi.send_email and not moduleapi.audit);
        noted = {{}};
        function moduleapi:audit(user, event, extra)
            noted[#noted + 1] = table.concat({{ self.host, self.name, user, event,
                extra.source }}, " ");
        end
        function moduleapi:send_email(email)
            return smtp.send {{ from = self.name .. "@" .. self.host, rcpt = email.to,
                server = "127.0.0.1", port = {server.port}, source = smtp.message {{
                    headers = {{ to = email.to, subject = email.subject }}, body = email.body }} }};
        end
    """)
    modules = running.server.modules
    early = modules.get_module("localhost", "early").exports
    assert early.had is False and early.tell("juliet@example.com") == 1
    assert b"Subject: Hello" in server.mails[0] and b"text" in server.mails[0]
    assert [line for line in server.lines if line.startswith("mail")] == [
        "mail FROM:<early@localhost>"]
    noted = modules.get_module("*", "mailer").exports.noted
    assert noted[1] == "localhost early juliet@example.com told early"
    server.server.stop(timeout=0)
