"""One job from claim to published folder: all that is the same for every job."""
