-- Streams with other servers. This server opens none by itself: stanzas for other domains are the
-- event `route/remote`. Sessions that a module keeps in `prosody.incoming_s2s` or `s2sout` of a
-- host can be ended here.

local prosody = prosody;
local error = error;

local function not_provided()
	error("this server speaks with other servers in no way that core.s2smanager could begin; "
		.. "hook 'route/remote' instead", 2);
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
	new_incoming = not_provided; new_outgoing = not_provided;
	destroy_session = destroy_session; retire_session = retire_session;
};
