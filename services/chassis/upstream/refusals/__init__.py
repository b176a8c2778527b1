"""The meaning of an upstream's refusal: its body read in whatever shape it comes, and held against what vendors say."""
