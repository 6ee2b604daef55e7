-- The same bytes as util.random, under the name of Prosody's C library.

local random = require "util.random";

return { bytes = random.bytes; seed = function () end; _source = random._source };
