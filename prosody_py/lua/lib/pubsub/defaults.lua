-- What a service does where its configuration says nothing (XEP-0060).

local cache = require "util.cache";
local pairs = pairs;

-- What each affiliation may do. The actions with _other are done to somebody else's subscription;
-- be_subscribed and be_unsubscribed say what others may do to one's own.
local own = {
	create = false; publish = false; retract = false; get_nodes = true; get_items = false;
	get_metadata = true; subscribe = true; unsubscribe = true; get_subscription = true;
	get_subscriptions = true; subscribe_other = false; unsubscribe_other = false;
	get_subscription_other = false; get_subscriptions_other = false; be_subscribed = true;
	be_unsubscribed = true; set_affiliation = false;
};

local function with(base, changes)
	local result = {};
	for action, allowed in pairs(base) do result[action] = allowed; end
	for action, allowed in pairs(changes) do result[action] = allowed; end
	return result;
end

local member = with(own, { get_items = true });
local publisher = with(member, { publish = true; retract = true; get_configuration = true });

local capabilities = {
	none = own; member = member; publisher = publisher;
	outcast = with(own, {
		get_nodes = false; get_metadata = false; subscribe = false; unsubscribe = false;
		be_subscribed = false;
	});
	owner = with(publisher, {
		create = true; delete = true; configure = true; subscribe_other = true;
		unsubscribe_other = true; get_subscription_other = true; get_subscriptions_other = true;
		set_affiliation = true;
	});
};

local config = {
	capabilities = capabilities; max_items = 256;
	metadata_subset = { "title", "description", "payload_type", "access_model", "publish_model" };
	itemstore = function (node_config) return cache.new(node_config.max_items); end;
	broadcaster = function () end;
	itemcheck = function () return true; end;
	subscriber_filter = function (subscribers) return subscribers; end;
	get_affiliation = function () end;
	normalize_jid = function (jid) return jid; end;
};

local node_config = {
	persist_items = true; max_items = 20; access_model = "open"; publish_model = "publishers";
	send_last_published_item = "never";
};

return { config = config; node_config = node_config };
