"""A transcript's text: languages, Chinese characters, tags, and words that nobody said."""
