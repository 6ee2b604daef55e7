-- Nodes: a node is a table { name, config, affiliations, subscribers by JID, capabilities }.
--
-- What is in memory is changed before a store is asked, and changed back when that fails: while a
-- store is waited for, others see the node as it will be, and nobody makes it a second time.

local defaults = require "pubsub.defaults";
local cache = require "util.cache";
local ipairs, pairs, rawget, setmetatable, type =
	ipairs, pairs, rawget, setmetatable, type;
local service = {};

local function configured(self, options)
	local config = {};
	for name, value in pairs(options or {}) do
		if name ~= "_defaults_only" then config[name] = value; end
	end
	return setmetatable(config, { __index = self.node_defaults });
end

-- The number of items that a configuration allows.
function service:_max_items(config)
	local limit = config.max_items;
	if limit == "max" then return self.config.max_items; end
	return limit;
end

function service:_save(node_obj)
	local store = self.config.nodestore;
	return not store or store:set(node_obj.name, node_obj);
end

function service:_open_items(node_obj)
	local config = node_obj.config;
	if not config.persist_items then return nil; end
	local make = rawget(self.config, "itemstore");
	if make then return make(config, node_obj.name); end
	return cache.new(self:_max_items(config)); -- which has to know what "max" is
end

function service:create(node, actor, options)
	if type(node) ~= "string" then return false, "nodeid-required"; end
	if not self:may(node, actor, "create") then return false, "forbidden"; end
	if self.nodes[node] then return false, "conflict"; end
	local config = configured(self, options);
	local check = self.config.check_node_config;
	if check and not check(node, actor, config) then return false, "not-acceptable"; end
	local node_obj = { name = node; subscribers = {}; config = config; affiliations = {} };
	if actor ~= true then node_obj.affiliations[self.config.normalize_jid(actor)] = "owner"; end
	local items = self:_open_items(node_obj);
	if self.nodes[node] then return false, "conflict"; end -- all of this may have waited
	self.nodes[node], self.data[node] = node_obj, items;
	if not self:_save(node_obj) then
		self.nodes[node], self.data[node] = nil, nil;
		return nil, "internal-server-error";
	end
	self.events.fire_event("node-created", { service = self, node = node, actor = actor });
	if actor == true then return true; end
	return self:_settle_subscription(node, actor);
end

function service:delete(node, actor)
	if not self:may(node, actor, "delete") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local items = self.data[node];
	self.nodes[node], self.data[node] = nil, nil;
	local store = self.config.nodestore;
	if store and not store:set(node, nil) then
		self.nodes[node], self.data[node] = node_obj, items;
		return nil, "internal-server-error";
	end
	if items then items:clear(); end
	for jid in pairs(node_obj.subscribers) do self:_unindex(node, jid); end
	self.events.fire_event("node-deleted", { service = self, node = node, actor = actor });
	self:broadcast("delete", node, node_obj.subscribers, nil, actor, node_obj);
	return true;
end

-- Nodes by name.
function service:get_nodes(actor)
	if not self:may(nil, actor, "get_nodes") then return false, "forbidden"; end
	return true, self.nodes;
end

-- The node's configuration, complete with the defaults.
function service:get_node_config(node, actor)
	if not self:may(node, actor, "get_configuration") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local config = {};
	for _, layer in ipairs { defaults.node_config, self.node_defaults, node_obj.config } do
		for name, value in pairs(layer) do config[name] = value; end
	end
	return true, config;
end

-- What of the configuration is for everybody who may know of the node.
function service:get_node_metadata(node, actor)
	if not self:may(node, actor, "get_metadata") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local metadata = {};
	for _, name in ipairs(self.config.metadata_subset) do metadata[name] = node_obj.config[name]; end
	return true, metadata;
end

local function follow_items(self, node_obj, before)
	local node, config, items = node_obj.name, node_obj.config, self.data[node_obj.name];
	if not config.persist_items then
		self.data[node] = nil;
		if items then items:clear(); end
	elseif not items then
		self.data[node] = self:_open_items(node_obj);
	elseif items.resize and self:_max_items(config) ~= self:_max_items(before) then
		items:resize(self:_max_items(config));
	end
end

-- Replace the node's configuration; what is not in the new one is as the defaults say.
function service:set_node_config(node, actor, options)
	if not self:may(node, actor, "configure") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local config, check = configured(self, options), self.config.check_node_config;
	if check and not check(node, actor, config) then return false, "not-acceptable"; end
	local before = node_obj.config;
	node_obj.config = config;
	if not self:_save(node_obj) then
		node_obj.config = before;
		return nil, "internal-server-error";
	end
	follow_items(self, node_obj, before);
	if config.access_model ~= before.access_model then
		local jids = {};
		for jid in pairs(node_obj.subscribers) do jids[#jids + 1] = jid; end
		for _, jid in ipairs(jids) do self:_settle_subscription(node, jid); end
	end
	return true;
end

-- Take the nodes from the store.
function service:_restore()
	local store = self.config.nodestore;
	if not store or not store.users then return; end
	for node in store:users() do
		local found = store:get(node);
		if found then
			local node_obj = {
				name = node; config = configured(self, found.config);
				subscribers = found.subscribers or {}; affiliations = found.affiliations or {};
				capabilities = found.capabilities;
			};
			self.nodes[node] = node_obj;
			self.data[node] = self:_open_items(node_obj);
			for jid in pairs(node_obj.subscribers) do self:_index(node, jid); end
		end
	end
end

-- Tell the subscribers of something: the broadcaster of the configuration does.
function service:broadcast(event, node, subscribers, item, actor, node_obj)
	local filtered = self.config.subscriber_filter(subscribers, node, event);
	return self.config.broadcaster(event, node, filtered, item, actor, node_obj, self);
end

return service;
