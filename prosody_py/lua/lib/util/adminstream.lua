-- The stream between a server and its shell: XML stanzas in the namespace of XMLNS, over a local
-- connection. server(sessions, handle_stanza) returns { listeners }; the sessions are kept by
-- connection, and each stanza goes to handle_stanza(session, stanza).

local new_stream = require "util.xmppstream".new;
local parts = require "util.session";
local st = require "util.stanza";

local pcall, tostring, type = pcall, tostring, type;

local XMLNS = "xmpp:prosody.im/admin";
local XMLNS_STREAMS = "http://etherx.jabber.org/streams";
local XMLNS_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
local SIZE_LIMIT = 1024 * 1024;

local function send_header(session)
	session.send("<?xml version='1.0'?>" .. st.stanza("stream:stream", {
		xmlns = XMLNS; ["xmlns:stream"] = XMLNS_STREAMS; id = session.id; version = "1.0";
	}):top_tag());
	session.opened = true;
end

-- Close with the name of a stream error, or none.
local function close_session(session, reason)
	if session.closed then return; end
	session.closed = true;
	if not session.opened then send_header(session); end
	if type(reason) == "string" then
		session.send(st.stanza("stream:error"):tag(reason, { xmlns = XMLNS_ERRORS }));
	end
	session.send("</stream:stream>");
	session.conn:close();
end

local function new_session(conn, handle_stanza)
	local session = parts.set_send(parts.set_logger(parts.set_id(parts.new("admin"))));
	session.conn, session.notopen, session.close = conn, true, close_session;
	local stream = new_stream(session, {
		default_ns = XMLNS;
		streamopened = function ()
			session.notopen = nil;
			session.type = "admin";
			if not session.opened then send_header(session); end
		end;
		streamclosed = function () session:close(); end;
		error = function (_, condition)
			session.log("warn", "Error in the stream: %s", tostring(condition));
			session:close("bad-format");
		end;
		handlestanza = function (_, stanza)
			local ok, err = pcall(handle_stanza, session, stanza);
			if not ok then
				session.log("error", "Error while handling a stanza: %s", tostring(err));
				session:close("internal-server-error");
			end
		end;
	}, SIZE_LIMIT);
	function session.data(data)
		local ok, err = stream:feed(data);
		if not ok and not session.closed then
			session.log("debug", "Bad XML: %s", tostring(err));
			session:close("not-well-formed");
		end
	end
	return session;
end

local function server(sessions, handle_stanza)
	local listeners = { default_mode = "*a" };

	function listeners.onconnect(conn)
		sessions[conn] = new_session(conn, handle_stanza);
	end

	function listeners.onincoming(conn, data)
		local session = sessions[conn];
		if session and not session.closed then session.data(data); end
	end

	function listeners.ondisconnect(conn)
		local session = sessions[conn];
		if session then
			session.conn, session.closed = nil, true;
			sessions[conn] = nil;
		end
	end

	function listeners.onreadtimeout()
		return true; -- people think before they type
	end

	return { listeners = listeners };
end

return { server = server };
