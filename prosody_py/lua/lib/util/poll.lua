-- Sets of file descriptors: new() gives one with add(fd, read, write), set, del, getfd and wait(seconds),
-- which tells one descriptor that is ready. Only who waits waits.

local new = require "native.server".poll_new;

return { new = function () return new(); end; api = "epoll"; ENOENT = 2; EEXIST = 17 };
