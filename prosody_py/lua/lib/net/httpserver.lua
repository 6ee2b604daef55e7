-- What Prosody has left of its HTTP server before 0.9: who calls it is told in the log.

local log = require "util.logger".init("net.httpserver");
local traceback = debug.traceback;

local function gone()
	log("error", "A module calls net.httpserver, which is gone since Prosody 0.9; "
		.. "module:provides(\"http\") is in its place: %s", traceback("", 2));
end

return { new = gone; new_from_config = gone; set_default_handler = gone };
