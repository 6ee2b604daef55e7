-- luaossl's HMACs: new(key, name):update(...):final(...).

local new = require "running_hash".new;
local argument = require "argument";

return { new = function (key, name) return new(name, argument.string(key, 1, "hmac.new")); end };
