-- Publish-subscribe services (XEP-0060): nodes, items, subscriptions and who may do what.
--
-- The configuration of a service may have: nodestore, itemstore(node_config, node), broadcaster,
-- subscriber_filter, itemcheck, get_affiliation, check_node_config, access_models, capabilities,
-- node_defaults, max_items, metadata_subset, normalize_jid, jid, autocreate_on_publish,
-- autocreate_on_subscribe. Methods return true and results, or false or nil and the name of an
-- error. `service.events` tells of what was done.

local events = require "util.events";
local defaults = require "pubsub.defaults";
local pairs, setmetatable = pairs, setmetatable;

local service = {};
for _, part in pairs { "access", "nodes", "subscriptions", "items" } do
	for name, f in pairs(require("pubsub." .. part)) do service[name] = f; end
end
local service_mt = { __index = service };
local config_mt = { __index = defaults.config };
local node_defaults_mt = { __index = defaults.node_config };

-- A service; its nodes are those of the store.
local function new(config)
	config = setmetatable(config or {}, config_mt);
	local self = setmetatable({
		config = config; node_defaults = setmetatable(config.node_defaults or {}, node_defaults_mt);
		affiliations = {}; subscriptions = {}; nodes = {}; data = {}; events = events.new();
	}, service_mt);
	self:_restore();
	return self;
end

return { new = new };
