"""What if the freeze, the lead time or a partner's pace were another: a simulation on a carrier's own history."""
