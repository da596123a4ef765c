"""Translation methods: networks, losses and steps, one file per method, on any Keras backend."""
