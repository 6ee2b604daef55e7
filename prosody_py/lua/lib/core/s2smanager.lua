-- Sessions of streams with other servers, for modules that speak with those: the server opens no
-- such stream by itself. Stanzas for other domains are the event `route/remote`.

local prosody = prosody;
local sessions = require "util.session";
local log = require "util.logger".init("s2smanager");
local error, tostring, pairs, ipairs, setmetatable = error, tostring, pairs, ipairs, setmetatable;

local function new_session(kind, direction)
	local session = sessions.set_logger(sessions.set_id(sessions.new(kind)));
	session.direction, session[direction], session.hosts = direction, true, {};
	return session;
end

-- What comes from a server that has connected; who it is has yet to be found out.
local function new_incoming(conn)
	local session = sessions.set_conn(new_session("s2sin", "incoming"), conn);
	prosody.incoming_s2s[session] = true;
	return session;
end

-- What a host of ours sends to another domain; there is one at a time, in `s2sout` of the host.
local function new_outgoing(from_host, to_host)
	local host = prosody.hosts[from_host];
	if not host then error("there is no host " .. tostring(from_host) .. " to speak for", 2); end
	local session = new_session("s2sout", "outgoing");
	session.from_host, session.host, session.to_host = from_host, from_host, to_host;
	session.notopen = true;
	host.s2sout[to_host] = session;
	return session;
end

-- What a session that has ended still answers to those who have it.
local ended = { destroyed = true; type = "s2s_destroyed"; direction = "destroyed" };
ended.__index = ended;

function ended.filter(_, data) return data; end

for _, name in ipairs { "open_stream", "close", "reset_stream" } do
	ended[name] = function (session)
		session.log("debug", "%s does nothing: the session has ended", name);
	end;
end

-- Takes everything that a session has but its log, id and connection.
local function retire_session(session, reason)
	session.log = session.log or log;
	for key in pairs(session) do
		if key ~= "log" and key ~= "id" and key ~= "conn" then session[key] = nil; end
	end
	session.destruction_reason = reason;
	local function discard(data)
		session.log("debug", "Discarding what is sent to a session that has ended: %s", data);
		return false;
	end
	session.send, session.sends2s, session.rawsend, session.data = discard, discard, discard, discard;
	session.thread = { run = function (_, data) return discard(data); end };
	return setmetatable(session, ended);
end

-- Out of the places where modules look for sessions; what an outgoing one has kept goes back.
local function take_away(session, reason)
	if session.direction == "outgoing" then
		local host = prosody.hosts[session.from_host];
		if host and host.s2sout[session.to_host] == session then host.s2sout[session.to_host] = nil; end
		if session.bounce_sendq then session:bounce_sendq(reason); end
	elseif session.direction == "incoming" then
		local host = session.outgoing and prosody.hosts[session.to_host];
		if host and host.s2sout[session.from_host] == session then
			host.s2sout[session.from_host] = nil;
		end
		prosody.incoming_s2s[session] = nil;
	end
end

local function destroy_session(session, reason, reason_for_senders)
	if session.destroyed then return; end
	(session.log or log)("debug", "Ending the %s session %s->%s: %s", tostring(session.direction),
		tostring(session.from_host), tostring(session.to_host), tostring(reason));
	take_away(session, reason_for_senders or reason);
	local data, kind = { session = session, reason = reason }, session.type;
	prosody.events.fire_event("s2s-destroyed", data);
	if kind == "s2sout" or kind == "s2sin" then
		prosody.events.fire_event(kind .. "-destroyed", data);
		local own = prosody.hosts[kind == "s2sout" and session.from_host or session.to_host];
		if own then own.events.fire_event(kind .. "-destroyed", data); end
	end
	retire_session(session, reason);
	return true;
end

return {
	incoming_s2s = prosody.incoming_s2s;
	new_incoming = new_incoming; new_outgoing = new_outgoing;
	destroy_session = destroy_session; retire_session = retire_session;
};
