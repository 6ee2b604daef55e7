-- There is one loop, whatever the name.
return require "net.server";
