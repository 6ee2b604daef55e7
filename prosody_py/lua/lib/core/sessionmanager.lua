-- The life of clients' sessions.

local server = require "native.server";

return {
	new_session = server.new_session; make_authenticated = server.make_authenticated;
	bind_resource = server.bind_resource; destroy_session = server.destroy_session;
	retire_session = server.retire_session; update_session = server.update_session;
	send_to_available_resources = server.send_to_available;
	send_to_interested_resources = server.send_to_interested;
};
