"""Training: from a cohort to a run folder, through Keras's `fit`."""
