-- `native.server`: what the libraries core.* stand on. Each function of server_requests.py is here
-- under its name; those that may block are requests.

local border, plain, asking = ...;
local request, results, OBJECT = border.request, border.proxy.results, border.OBJECT;
local setmetatable, select, rawget = setmetatable, select, rawget;
local server = {};

for name, f in next, plain do
	server[name] = function (...) return results(f(...)); end
end
for name, f in next, asking do
	server[name] = function (...) return request(f, ...); end
end

package.loaded["native.server"] = server;

-- Stores ----------------------------------------------------------------------------------------

local operations = {};

local function operation(name)
	local f = operations[name];
	if not f then
		function f(self, ...) return request(asking.store_call, rawget(self, OBJECT), name, ...); end
		operations[name] = f;
	end
	return f;
end

local remove;

function border.new_store(object, ...)
	if not remove then remove = border.proxy.make(0, results(plain.remove_mark())); end
	local store = { [OBJECT] = object, remove = remove };
	for i = 1, select("#", ...) do
		local name = select(i, ...);
		store[name] = operation(name);
	end
	store.caps = results(plain.store_caps(object));
	return store;
end
