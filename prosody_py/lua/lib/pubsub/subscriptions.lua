-- Subscriptions: kept with the node, and found by JID in service.subscriptions, which is
-- { normalized JID = { JID = { node = true } } }.

local array = require "util.array";
local ipairs, next, pairs, type = ipairs, next, pairs, type;
local service = {};

function service:_index(node, jid)
	local by_user = self.subscriptions;
	local name = self.config.normalize_jid(jid);
	by_user[name] = by_user[name] or {};
	by_user[name][jid] = by_user[name][jid] or {};
	by_user[name][jid][node] = true;
end

function service:_unindex(node, jid)
	local name = self.config.normalize_jid(jid);
	local by_jid = self.subscriptions[name];
	local nodes = by_jid and by_jid[jid];
	if not nodes then return; end
	nodes[node] = nil;
	if next(nodes) == nil then by_jid[jid] = nil; end
	if next(by_jid) == nil then self.subscriptions[name] = nil; end
end

-- Whether somebody is subscribed, with this JID or another of the same user.
function service:_is_subscribed(node, jid)
	local node_obj = self.nodes[node];
	if node_obj.subscribers[jid] ~= nil then return true; end
	for _, nodes in pairs(self.subscriptions[self.config.normalize_jid(jid)] or {}) do
		if nodes[node] then return true; end
	end
	return false;
end

-- Whose subscription is meant decides what the actor must be allowed to do.
local function action_on(self, actor, jid, action)
	if actor == true or jid ~= nil and (actor == jid or self:jids_equal(actor, jid)) then
		return action;
	end
	return action .. "_other";
end

-- Subscribe a JID; with `options` instead of true it is what get_subscription gives.
function service:add_subscription(node, actor, jid, options)
	if type(jid) ~= "string" then return false, "jid-required"; end
	if not self:may(node, actor, action_on(self, actor, jid, "subscribe"))
		or not self:may(node, jid, "be_subscribed") then
		return false, "forbidden";
	end
	if not self.nodes[node] then
		if not self.config.autocreate_on_subscribe then return false, "item-not-found"; end
		local ok, err = self:create(node, true);
		if not ok and err ~= "conflict" then return ok, err; end
	end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local before = node_obj.subscribers[jid];
	node_obj.subscribers[jid] = options or true;
	self:_index(node, jid);
	if not self:_save(node_obj) then
		node_obj.subscribers[jid] = before;
		if before == nil then self:_unindex(node, jid); end
		return nil, "internal-server-error";
	end
	self.events.fire_event("subscription-added", {
		service = self, node = node, jid = jid, options = options;
		normalized_jid = self.config.normalize_jid(jid);
	});
	return true;
end

function service:remove_subscription(node, actor, jid)
	if type(jid) ~= "string" then return false, "jid-required"; end
	if not self:may(node, actor, action_on(self, actor, jid, "unsubscribe"))
		or not self:may(node, jid, "be_unsubscribed") then
		return false, "forbidden";
	end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	local before = node_obj.subscribers[jid];
	if before == nil then return false, "not-subscribed"; end
	node_obj.subscribers[jid] = nil;
	self:_unindex(node, jid);
	if not self:_save(node_obj) then
		node_obj.subscribers[jid] = before;
		self:_index(node, jid);
		return nil, "internal-server-error";
	end
	self.events.fire_event("subscription-removed", {
		service = self, node = node, jid = jid, normalized_jid = self.config.normalize_jid(jid);
	});
	return true;
end

-- After a change of rights: end what may not be, begin what must be.
function service:_settle_subscription(node, jid)
	local node_obj = self.nodes[node];
	local name = self.config.normalize_jid(jid);
	local subscribed = {};
	for own, nodes in pairs(self.subscriptions[name] or {}) do
		if nodes[node] then subscribed[#subscribed + 1] = own; end
	end
	if subscribed[1] == nil then
		if node_obj and self:may(node, jid, "be_subscribed")
			and not self:may(node, jid, "be_unsubscribed") then
			return self:add_subscription(node, true, jid);
		end
		return true;
	end
	for _, own in ipairs(subscribed) do
		if not self:may(node, own, "be_subscribed") then
			local ok, err = self:remove_subscription(node, true, own);
			if not ok and err ~= "not-subscribed" then return ok, err; end
		end
	end
	return true;
end

-- True and the options of a subscription (true for none), true and nil when there is none.
function service:get_subscription(node, actor, jid)
	if not self:may(node, actor, action_on(self, actor, jid, "get_subscription")) then
		return false, "forbidden";
	end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	return true, node_obj.subscribers[jid];
end

local function add_all(self, found, node_obj, by_jid)
	for jid, nodes in pairs(by_jid or {}) do
		for node in pairs(nodes) do
			if not node_obj or node == node_obj.name then
				local subscription = self.nodes[node] and self.nodes[node].subscribers[jid];
				found[#found + 1] = { node = node, jid = jid, subscription = subscription };
			end
		end
	end
end

-- True and a list of { node, jid, subscription }: of a JID (nil: all), in a node (nil: all).
function service:get_subscriptions(node, actor, jid)
	if not self:may(node, actor, action_on(self, actor, jid, "get_subscriptions")) then
		return false, "forbidden";
	end
	local node_obj = node and self.nodes[node];
	if node and not node_obj then return false, "item-not-found"; end
	local found = array();
	if jid then
		add_all(self, found, node_obj, self.subscriptions[self.config.normalize_jid(jid)]);
	else
		for _, by_jid in pairs(self.subscriptions) do add_all(self, found, node_obj, by_jid); end
	end
	return true, found;
end

return service;
