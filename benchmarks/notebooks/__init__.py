"""What people run today: the well-known recipes for Keras, rebuilt as they are and without their mistakes.

Their learning rates were tuned by the search of `benchmarks.learning_rates`, on validation data.
"""
