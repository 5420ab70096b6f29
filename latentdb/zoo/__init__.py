"""The bundled models: the faces they know, their training, their weights, their evaluation."""
