-- Clocks: now() in seconds since 1970 and monotonic() in seconds, both with fractions.

local clock = require "native.clock";

return { now = clock.now; monotonic = clock.monotonic };
