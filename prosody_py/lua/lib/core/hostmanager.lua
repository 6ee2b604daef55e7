-- Hosts of the server.

local server = require "native.server";
local hostmanager = {};

hostmanager.deactivate = server.deactivate_host;

-- The hosts whose names end with that of this one.
function hostmanager.get_children(host)
	local suffix, children = "." .. host, {};
	for name, session in pairs(prosody.hosts) do
		if name:sub(-#suffix) == suffix then children[name] = session; end
	end
	return children;
end

return hostmanager;
