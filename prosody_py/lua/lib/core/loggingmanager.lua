-- Where the log goes. The server's own places are a matter of the option `log`; what a module
-- provides with `register_sink_type` is used by `log: {sinks: [{to: NAME, level: info}]}`.

local server = require "native.server";

return {
	register_sink_type = server.register_sink_type;
	reload_logging = server.reload_logging;
};
