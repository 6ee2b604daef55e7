-- The router's entry points, which are those of `prosody`.

return {
	core_process_stanza = prosody.core_process_stanza;
	core_post_stanza = prosody.core_post_stanza;
	core_route_stanza = prosody.core_route_stanza;
};
