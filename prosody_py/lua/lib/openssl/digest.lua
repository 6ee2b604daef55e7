-- luaossl's hashes: new(name):update(...):final(...).

local new = require "running_hash".new;

return { new = function (name) return new(name); end };
