"""Read-only dashboards, each a service of docker-compose.yml: the gallery, TensorBoard and Flower.

They run in an image of their own, without TensorFlow.
"""
