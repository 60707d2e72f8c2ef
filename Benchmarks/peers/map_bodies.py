"""What the workers of the Python peers run.

A module of its own, so that each library sends a function by its name, which is the cheapest way.
"""

import array
import os
import time

kept = None


def increment(x):
    return x + 1


def increment_all(chunk):
    return [increment(x) for x in chunk]


def increment_array(chunk):
    return array.array("q", [increment(x) for x in chunk])


def same(x):
    return x


def process_after(seconds):
    """The worker's process, after a pause in which the next call has to go to another worker."""
    time.sleep(seconds)
    return os.getpid()


def keep(values):
    global kept
    kept = values


def kept_sum(i):
    return float(kept.sum()) + i


def array_sum(values, i):
    return float(values.sum()) + i
