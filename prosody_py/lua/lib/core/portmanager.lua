-- Network services and the ports on which they are reached.

local server = require "native.server";
local multitable = require "util.multitable";
local portmanager = { get_service = server.get_service };

-- A multitable: service, interface, port -> { service }.
function portmanager.get_active_services()
	local active = multitable.new();
	for _, port in ipairs(server.open_ports()) do
		active:set(port.service, port.interface, port.port,
			{ service = server.get_service(port.service) });
	end
	return active;
end

-- name -> list of what is offered under it.
function portmanager.get_registered_services()
	local services = {};
	for _, name in ipairs(server.service_names()) do
		services[name] = { server.get_service(name) };
	end
	return services;
end

function portmanager.get_service_at(interface, number)
	for _, port in ipairs(server.open_ports()) do
		if port.interface == interface and port.port == number then
			return server.get_service(port.service);
		end
	end
	return nil;
end

return portmanager;
