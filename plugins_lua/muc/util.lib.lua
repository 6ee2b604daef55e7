-- What Prosody's modules for rooms get by `module:require "muc/util"`; the rooms are in mod_muc.

local _M = {};

_M.valid_affiliations = { outcast = -1, none = 0, member = 1, admin = 2, owner = 3 };
_M.valid_roles = { none = 0, visitor = 1, participant = 2, moderator = 3 };

-- What an error from an occupant has to say for the occupant to be gone.
local gone = {
	["gone"] = true, ["internal-server-error"] = true, ["item-not-found"] = true,
	["jid-malformed"] = true, ["recipient-unavailable"] = true, ["redirect"] = true,
	["remote-server-not-found"] = true, ["remote-server-timeout"] = true,
	["service-unavailable"] = true,
};

function _M.is_kickable_error(stanza)
	local _, condition = stanza:get_error();
	return gone[condition] or false;
end

-- A condition for room:broadcast.
function _M.only_with_min_role(role)
	local least = _M.valid_roles[role];
	return function (_, occupant) return _M.valid_roles[occupant.role or "none"] >= least; end;
end

local filtered = {
	["http://jabber.org/protocol/muc"] = true,
	["http://jabber.org/protocol/muc#user"] = true,
};

function _M.add_filtered_namespace(xmlns)
	filtered[xmlns] = true;
end

-- Take out of a stanza what only a room may say.
function _M.filter_muc_x(stanza)
	return stanza:maptags(function (tag)
		if not filtered[tag.attr.xmlns] then return tag; end
	end);
end

return _M;
