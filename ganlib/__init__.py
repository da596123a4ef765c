"""GAN image-to-image translation between MR contrasts: cohorts, methods, honest evaluation, dashboards.

Importing `ganlib` imports nothing heavy. Keras is reached only through `ganlib.models`, `ganlib.training` and
`ganlib.translate`; cohorts, runs, metrics and figures work without any deep-learning framework.
"""

__version__ = "0.1.0"
