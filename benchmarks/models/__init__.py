"""Models whose jobs do nothing, to measure what is around a job; announced as another package would."""
