"""What watches beside Quartet, each a service of docker-compose.yml: the gallery, TensorBoard, Flower.

They run in an image of their own, without TensorFlow, and change nothing.
"""
