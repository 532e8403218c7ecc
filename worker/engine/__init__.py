"""The engine: takes a job from claim to published folder, the same way for every model."""
