"""What a run's tools answered, recorded beside its model calls; the replay over it is in `graphs.replay`."""
