-- What modules may require with `--% requires:`.

return { available = prosody.features };
