"""How certain a clustering is, and what other models say."""
