"""Behaviour, laws, journeys and the house itself; their processes may keep their bytecode.

Where a machine forbids that, each process of the suite would compile the whole house anew, and
each worker every test: a minute and more of a processor's time.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
