"""What each hot path costs beside its limit, both measured in one run on one machine."""
