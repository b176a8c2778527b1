"""A text on its way to a voice: cleaned, figures in words, cut into clauses, its language found."""
