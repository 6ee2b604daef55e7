-- State machines: new{ transitions = { { name=, from=, to= } }, default_state=, handlers=,
-- state_handlers= }; machine:init(data) makes an instance whose methods are the transitions.

local events = require "util.events";

local getmetatable, setmetatable, error, ipairs, pairs, type =
	getmetatable, setmetatable, error, ipairs, pairs, type;

local fsm_methods = {};
local fsm_mt = { __index = fsm_methods };

local function is_fsm(value)
	return getmetatable(value) == fsm_mt;
end

local function fire(instance, kind, name, data)
	return instance._events.fire_event(kind .. "/" .. name, data);
end

-- Move an instance along a transition. Return true, or false when a handler stopped it.
local function move(instance, transition, attr)
	local event = {
		instance = instance; name = transition.name; to = transition.to; to_attr = attr;
		from = instance.state; from_attr = instance.state_attr;
	};
	local fsm_events = instance._events;
	if fsm_events.fire_event("transition", event) == false then return false; end
	if fire(instance, "transition", transition.name, event) == false then return false; end
	if fire(instance, "leave", instance.state, event) == false then return false; end
	instance.state, instance.state_attr = transition.to, attr;
	fire(instance, "enter", transition.to, event);
	fsm_events.fire_event("transitioned", event);
	return true;
end

local function new(description)
	local fsm = setmetatable({
		default_state = description.default_state; events = events.new(); transitions = {}; states = {};
	}, fsm_mt);
	for _, transition in ipairs(description.transitions) do
		local sources = type(transition.from) == "table" and transition.from or { transition.from };
		local by_name = fsm.transitions[transition.name] or {};
		fsm.transitions[transition.name] = by_name;
		for _, from in ipairs(sources) do
			by_name[from] = { name = transition.name; to = transition.to };
			fsm.states[from] = true;
		end
		fsm.states[transition.to] = true;
	end
	for name, handler in pairs(description.handlers or {}) do
		fsm.events.add_handler("transition/" .. name, handler);
	end
	for state, handler in pairs(description.state_handlers or {}) do
		fsm.events.add_handler("enter/" .. state, handler);
	end
	return fsm;
end

function fsm_methods:init(state_name, state_attr)
	local methods = {};
	local fsm = self;
	for name, by_source in pairs(self.transitions) do
		methods[name] = function (instance, attr)
			local transition = by_source[instance.state] or by_source["*"];
			if not transition then
				error(("Invalid state transition: %s cannot %s"):format(instance.state, name), 2);
			end
			return move(instance, transition, attr);
		end;
	end
	local instance = setmetatable({
		fsm = fsm; _events = fsm.events; state = state_name or fsm.default_state;
		state_attr = state_attr;
	}, { __index = methods });
	if instance.state ~= fsm.default_state then
		fire(instance, "enter", instance.state, {
			instance = instance; to = instance.state; to_attr = state_attr;
		});
	end
	return instance;
end

return { new = new; is_fsm = is_fsm };
