-- Unix sockets: stream() (also tcp(), and the library itself can be called), dgram() (also udp()).

local native = require "native.server";

local function stream() return native.socket_tcp("unix"); end
local function dgram() return native.socket_udp("unix"); end

return setmetatable({ stream = stream; tcp = stream; dgram = dgram; udp = dgram }, {
	__call = stream;
});
