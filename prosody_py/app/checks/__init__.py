"""Find mistakes before they do harm: options, modules, certificates; starts nothing."""
