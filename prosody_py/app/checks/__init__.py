"""Find mistakes before they do harm: options, modules and certificates, without starting anything."""
