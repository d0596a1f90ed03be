"""The figures for the regulator and the public, counted from the facts and kept as summaries.

`batch` counts a batch, `orders` a month of owners' orders, and only what has changed is counted again; `bulletin` puts what
they found together, and `opendata` decides what of it may be published.
"""
