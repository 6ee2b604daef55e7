-- The parts that sessions of modules are made of: new(type), then set_id, set_logger, set_conn and
-- set_send; each returns the session.

local init = require "util.logger".init;
local id = require "util.id".medium;

local tostring = tostring;

local function new(kind)
	return { type = kind .. "_unauthed"; base_type = kind };
end

local function set_id(session)
	session.id = session.base_type .. id();
	return session;
end

local function set_logger(session)
	session.log = init(session.id);
	return session;
end

local function set_conn(session, conn)
	session.conn, session.ip = conn, conn:ip();
	return session;
end

-- session.send(data) goes through the session's filters and writes to its connection.
local function set_send(session)
	session.send = function (data)
		local filter = session.filter;
		if filter then data = filter("stanzas/out", data); end
		if not data then return true; end
		data = tostring(data);
		if filter then data = filter("bytes/out", data); end
		if not data then return true; end
		local conn = session.conn;
		if not conn then
			if session.log then session.log("debug", "The session has no connection to send on"); end
			return false;
		end
		local ok, err = conn:write(data);
		if not ok and session.log then session.log("debug", "Not sent: %s", err); end
		return ok and true or false;
	end;
	return session;
end

return {
	new = new; set_id = set_id; set_logger = set_logger; set_conn = set_conn; set_send = set_send;
};
