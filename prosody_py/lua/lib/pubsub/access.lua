-- Who may do what: affiliations, access models, capabilities.
--
-- An actor is a JID, or true for the server itself, which may do anything.

local pairs, type = pairs, type;
local service = {};

-- Whether two JIDs are the same as far as the service tells users apart.
function service:jids_equal(a, b)
	local normalize = self.config.normalize_jid;
	return normalize(a) == normalize(b);
end

-- Something about a JID in a table by JID, or about what the JID belongs to.
local function about(self, by_jid, jid)
	local found = by_jid[jid];
	if found == nil and jid ~= nil then found = by_jid[self.config.normalize_jid(jid)]; end
	return found;
end

-- The affiliation that a node's access model gives to who has none. The service's configuration
-- may have `access_models`, by name functions that take a JID and return an affiliation.
function service:get_default_affiliation(node, actor)
	local node_obj = self.nodes[node];
	local model = (node_obj and node_obj.config or self.node_defaults).access_model;
	if model == "open" then return "member"; end
	if model == "whitelist" then return "outcast"; end
	local check = self.config.access_models and self.config.access_models[model];
	return check and check(actor, node_obj) or nil;
end

local function affiliation_of(self, node_obj, node, actor, action)
	return node_obj and about(self, node_obj.affiliations, actor)
		or about(self, self.affiliations, actor)
		or self.config.get_affiliation(actor, node, action)
		or self:get_default_affiliation(node, actor)
		or "none";
end

function service:may(node, actor, action)
	if actor == true then return true; end
	local node_obj = self.nodes[node];
	local affiliation = affiliation_of(self, node_obj, node, actor, action);
	local of_node = node_obj and node_obj.capabilities and node_obj.capabilities[affiliation];
	if of_node and of_node[action] ~= nil then return of_node[action]; end
	local of_service = self.config.capabilities[affiliation];
	return of_service and of_service[action] or false;
end

-- Whether the actor may publish: by capability, or because the node's publish model says so.
function service:_may_publish(node, actor)
	if self:may(node, actor, "publish") then return true; end
	local node_obj = self.nodes[node];
	if not node_obj then return false; end
	local model = node_obj.config.publish_model;
	if model ~= "open" and model ~= "subscribers" then return false; end
	if affiliation_of(self, node_obj, node, actor, "publish") == "outcast" then return false; end
	return model == "open" or self:_is_subscribed(node, actor);
end

-- Give a JID an affiliation with a node; nil takes it away. Who may not be subscribed any longer
-- is unsubscribed, who has to be is subscribed.
function service:set_affiliation(node, actor, jid, affiliation)
	if not self:may(node, actor, "set_affiliation") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	if affiliation ~= nil and not self.config.capabilities[affiliation] then
		return false, "not-acceptable";
	end
	local name = self.config.normalize_jid(jid);
	local before = node_obj.affiliations[name];
	node_obj.affiliations[name] = affiliation;
	if not self:_save(node_obj) then
		node_obj.affiliations[name] = before;
		return nil, "internal-server-error";
	end
	return self:_settle_subscription(node, jid);
end

-- Let a node's own rules go before those of the service: by affiliation tables of actions.
function service:set_node_capabilities(node, actor, capabilities)
	if not self:may(node, actor, "configure") then return false, "forbidden"; end
	local node_obj = self.nodes[node];
	if not node_obj then return false, "item-not-found"; end
	if type(capabilities) ~= "table" then return false, "not-acceptable"; end
	node_obj.capabilities = {};
	for affiliation, actions in pairs(capabilities) do
		node_obj.capabilities[affiliation] = actions;
	end
	return true;
end

return service;
