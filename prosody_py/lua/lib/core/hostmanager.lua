-- Hosts of the server.

local server = require "native.server";
local hostmanager = { deactivate = server.deactivate_host };

-- Puts a host into service and loads its modules; nil and a text when that is impossible. `options`
-- become the host's own as long as the configuration is not read anew.
function hostmanager.activate(host, options)
	if prosody.hosts[host] then
		return nil, "The host " .. host .. " is already activated";
	end
	for name, value in pairs(options or {}) do server.set_config(host, name, value); end
	return server.activate_host(host);
end

-- The hosts whose names end with that of this one.
function hostmanager.get_children(host)
	local suffix, children = "." .. host, {};
	for name, session in pairs(prosody.hosts) do
		if name:sub(-#suffix) == suffix then children[name] = session; end
	end
	return children;
end

return hostmanager;
