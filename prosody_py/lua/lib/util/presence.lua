-- Which sessions of a user get messages to the bare address.

local t_insert = table.insert;

-- The sessions with the highest priority that is not negative.
local function select_top_resources(user)
	local priority, recipients = 0, {};
	for _, session in pairs(user.sessions) do
		if session.presence and (session.priority or 0) >= priority then
			if session.priority > priority then
				priority, recipients = session.priority, {};
			end
			t_insert(recipients, session);
		end
	end
	return recipients;
end

local function recalc_resource_map(user)
	if user then
		local recipients = select_top_resources(user);
		user.top_resources = #recipients > 0 and recipients or nil;
	end
end

return { select_top_resources = select_top_resources; recalc_resource_map = recalc_resource_map };
