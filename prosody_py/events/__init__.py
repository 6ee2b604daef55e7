"""The bus that modules of both languages share, its catalogue of events, and session filters."""
