"""We as reader of the PACS. What comes from it is checked before it is used: an archive is trusted with bytes only."""
