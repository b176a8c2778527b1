"""Engine `companion`: a small rule-based talker that needs no model."""
