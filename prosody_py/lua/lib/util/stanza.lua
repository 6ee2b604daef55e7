-- Stanzas: XML elements as tables { name=, attr=, tags=, [i]= child or text } that share one
-- metatable. An attribute with a namespace has the key "namespace\1name".

local build = require "stanza.build";
local read = require "stanza.read";
local write = require "stanza.write";

local stanza_mt = build.stanza_mt;
local methods = stanza_mt;

for name, method in pairs(read) do methods[name] = method; end

methods.top_tag = write.write_start;
stanza_mt.__tostring = write.write;

function methods:indent(level, by)
	return write.indent(self, build.create, level, by);
end

function methods:pretty_print()
	return write.colour(write.write(self));
end

function methods:pretty_top_tag()
	return write.colour(write.write_start(self));
end

-- Storage and JSON writers ask for this instead of guessing at the table's parts.
function stanza_mt.__freeze(stanza)
	return build.preserialize(stanza);
end

local st = {
	stanza_mt = stanza_mt;
	stanza = build.stanza; is_stanza = build.is_stanza; clone = build.clone;
	message = build.message; presence = build.presence; iq = build.iq;
	reply = build.reply; error_reply = build.error_reply;
	preserialize = build.preserialize; deserialize = build.deserialize;
	xml_escape = write.xml_escape;
	xmlns_stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
};

function st.pretty_print(stanza)
	return write.colour(tostring(stanza));
end

for name, value in pairs(require "stanza.flat"(stanza_mt)) do st[name] = value; end

return st;
