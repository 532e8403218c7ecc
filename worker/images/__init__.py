"""The kit of the models that read images: readers, network, training, measures and drawings."""
