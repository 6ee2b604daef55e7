-- Rosters and subscriptions. A roster is a table: bare JID -> { subscription, ask, name, groups },
-- false -> { version, pending }.

local server = require "native.server";
local rostermanager = {};

for _, name in ipairs {
	"load_roster", "save_roster", "roster_push", "add_to_roster", "remove_from_roster",
	"is_contact_subscribed", "is_user_subscribed", "is_contact_pending_in",
	"is_contact_pending_out", "is_contact_preapproved", "set_contact_pending_in",
	"set_contact_pending_out", "subscribed", "unsubscribed", "unsubscribe",
	"process_inbound_subscription_approval", "process_inbound_subscription_cancellation",
	"process_inbound_unsubscribe", "process_outbound_subscription_request",
	"process_outbound_subscription_approval",
} do
	rostermanager[name] = server[name];
end

return rostermanager;
