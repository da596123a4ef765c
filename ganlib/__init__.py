"""GAN image-to-image translation between MR contrasts: cohorts, methods, honest evaluation, dashboards.

Importing `ganlib` imports nothing heavy. Keras is reached only through `ganlib.models`, `ganlib.training` and
`ganlib.translate`; cohorts, runs, metrics and figures work without any deep-learning framework.
"""

import os

__version__ = "0.1.0"

# Both are read once, when TensorFlow is imported. TensorFlow leaves oneDNN's convolutions off on many processors; with
# them a CycleGAN step takes 0.6 of the time on one AVX2 core. Its start-up messages would fill the notebooks.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
