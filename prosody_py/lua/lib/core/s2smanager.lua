-- Sessions of streams with other servers, for modules that speak with those: the server opens no
-- such stream by itself. Stanzas for other domains are the event `route/remote`.

local prosody = prosody;
local sessions = require "util.session";
local error, tostring = error, tostring;

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

-- Takes what a session could do; who still has it finds it dead.
local function retire_session(session, reason)
	local function refuse(data)
		if session.log then
			session.log("debug", "Discarding what is sent to a session that has ended: %s", data);
		end
		return false;
	end
	session.destruction_reason = reason;
	session.send, session.sends2s, session.rawsend = refuse, refuse, refuse;
	session.data, session.filter, session.thread = refuse, nil, nil;
	return session;
end

local function destroy_session(session, reason)
	if session.destroyed then return; end
	session.destroyed = true;
	prosody.incoming_s2s[session] = nil;
	local host = prosody.hosts[session.from_host];
	if host and host.s2sout[session.to_host] == session then host.s2sout[session.to_host] = nil; end
	local outgoing = session.direction == "outgoing";
	local own = prosody.hosts[outgoing and session.from_host or session.to_host];
	if own then
		local data = { session = session, reason = reason };
		own.events.fire_event(outgoing and "s2sout-destroyed" or "s2sin-destroyed", data);
		own.events.fire_event("s2s-destroyed", data);
	end
	retire_session(session, reason);
	return true;
end

return {
	incoming_s2s = prosody.incoming_s2s;
	new_incoming = new_incoming; new_outgoing = new_outgoing;
	destroy_session = destroy_session; retire_session = retire_session;
};
