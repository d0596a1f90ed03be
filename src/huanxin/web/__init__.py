"""The HTTP API and the pages: the edge where errors become HTTP."""
