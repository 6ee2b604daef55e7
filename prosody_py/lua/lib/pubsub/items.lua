-- Items: publishing, taking back, and reading. A node that keeps none only tells its subscribers.
--
-- Items are in a store that is used as a util.cache: get, set, items (newest first), head, clear.

local errors = require "util.error";
local ipairs, pairs, tonumber, type = ipairs, pairs, tonumber, type;
local service = {};

-- A publisher may ask for a configuration that the node must have (XEP-0060, 7.1.5).
local function unmet(config, required)
	if required._defaults_only then return nil; end
	for name, value in pairs(required) do
		if config[name] ~= value then
			local err = errors.new {
				type = "cancel"; condition = "conflict"; text = "Field does not match: " .. name;
			};
			err.pubsub_condition = "precondition-not-met";
			return err;
		end
	end
	return nil;
end

-- Publish an item. With `requested` a node that is made for it has this configuration, and one that
-- is there must have it (`_defaults_only` in it: need not).
function service:publish(node, actor, id, item, requested)
	if not self:_may_publish(node, actor) then return false, "forbidden"; end
	if not self.config.itemcheck(item) then return nil, "invalid-item"; end
	local node_obj = self.nodes[node];
	if not node_obj then
		if not self.config.autocreate_on_publish then return false, "item-not-found"; end
		local ok, err = self:create(node, true, requested);
		if not ok and err ~= "conflict" then return ok, err; end
		node_obj = self.nodes[node];
		if not node_obj then return false, "item-not-found"; end
	elseif requested then
		local err = unmet(node_obj.config, requested);
		if err then return false, err; end
	end
	local items = self.data[node];
	if items and not items:set(id, item) then return nil, "internal-server-error"; end
	local event = { service = self, node = node, actor = actor, id = id, item = item };
	self.events.fire_event("item-published/" .. node, event);
	self.events.fire_event("item-published", event);
	self:broadcast("items", node, node_obj.subscribers, item, actor, node_obj);
	return true;
end

-- Take an item back. `notice` is what the subscribers are told, nothing without it.
function service:retract(node, actor, id, notice)
	if not self:may(node, actor, "retract") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local items = self.data[node];
	if items then
		if items:get(id) == nil then return false, "item-not-found"; end
		if not items:set(id, nil) then return nil, "internal-server-error"; end
	end
	self.events.fire_event("item-retracted", { service = self, node = node, actor = actor, id = id });
	if notice then
		self:broadcast("retract", node, node_obj.subscribers, notice, actor, node_obj);
	end
	return true;
end

-- Take all items back; the subscribers are told if `notify` says so.
function service:purge(node, actor, notify)
	if not self:may(node, actor, "retract") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local items = self.data[node];
	if items then items:clear(); end
	self.events.fire_event("node-purged", { service = self, node = node, actor = actor });
	if notify then
		self:broadcast("purge", node, node_obj.subscribers, nil, actor, node_obj);
	end
	return true;
end

-- The items in a range of the order in which they are listed (XEP-0059).
local function in_range(list, range)
	local first, last = 1, #list;
	for i, id in ipairs(list) do
		if range.after == id then first = i + 1; end
		if range.before == id then last = i - 1; end
	end
	local max = tonumber(range.max);
	if max and last - first + 1 > max then
		if range.before ~= nil then first = last - max + 1; else last = first + max - 1; end
	end
	local found = {};
	for i = first, last do found[#found + 1] = list[i]; end
	return found;
end

-- True and { ids ..., id = item }, newest first. `ids` is one id or a list, `range` a result set.
function service:get_items(node, actor, ids, range)
	if not self:may(node, actor, "get_items") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local items = self.data[node];
	if not items then return false, "persistent-items-unsupported"; end
	local order, found = {}, {};
	if ids then
		for _, id in ipairs(type(ids) == "table" and ids or { ids }) do
			local item = items:get(id);
			if item ~= nil then order[#order + 1], found[id] = id, item; end
		end
	else
		for id, item in items:items() do order[#order + 1], found[id] = id, item; end
	end
	if range then order = in_range(order, range); end
	local result = {};
	for i, id in ipairs(order) do result[i] = id; end
	for _, id in ipairs(order) do result[id] = found[id]; end
	return true, result;
end

-- True, id and item of what was published last; true and nil when there is nothing.
function service:get_last_item(node, actor)
	if not self:may(node, actor, "get_items") then return false, "forbidden"; end
	if not self.nodes[node] then return false, "item-not-found"; end
	local items = self.data[node];
	if not items then return true, nil; end
	local id, item = items:head();
	return true, id, item;
end

return service;
