"""Read-only dashboards, each a service of docker-compose.yml: the gallery, TensorBoard and Flower.

They run in an image of their own, without TensorFlow. Where it is installed, they do without it too.
"""

import sys
from types import ModuleType

# By this name, TensorBoard knows that it is not to load TensorFlow, which takes seconds and much memory.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
