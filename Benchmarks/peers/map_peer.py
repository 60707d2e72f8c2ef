"""Measures one Python peer with one workload, for `maps`: python map_peer.py PEER WORKLOAD

Prints lines of JSON: what was measured, the values, and how the library was asked. Each peer does what its own
documentation recommends for the workload, and of several ways the fastest. `maps` says what a workload is.
"""

import array
import json
import os
import sys
import time
import warnings

import map_bodies as bodies

ELEMENTS = 1_000_000
REPEATS = 5
# No new repeat begins after this many seconds, so that the slowest peer ends too.
LIMIT = 8


class Peer:
    """What a library has to be able to do. `None` where it has no such thing."""

    batches = None

    def __init__(self, workers):
        self.workers = workers

    def call(self, function, *arguments):
        """One call of one worker, and its result."""
        raise NotImplementedError

    def map(self, function, elements):
        """One element a message."""
        raise NotImplementedError

    def map_in_batches(self, elements, size):
        """Increments with the library's own batches; `batches` has the sizes to try."""
        raise NotImplementedError

    def map_chunks(self, chunks):
        """Each list of elements a message of its own, incremented element by element."""
        return self.map(bodies.increment_all, chunks)

    def capture(self, values):
        """Brings the array to the workers, if that is a step of its own, and returns what `sums` wants."""
        return values

    def sums(self, captured):
        raise NotImplementedError

    def release(self, captured):
        pass

    def echo(self, values):
        return self.call(bodies.same, values)

    def stop(self):
        raise NotImplementedError


class ForkedPool(Peer):
    """Where a worker gets an array best by being forked from a process that has it: in a pool of its own."""

    def capture(self, values):
        return type(self)(self.workers, bodies.keep, (values,))

    def sums(self, captured):
        return captured.map(bodies.kept_sum, range(1, 101))

    def release(self, captured):
        captured.stop()


class Pool(ForkedPool):
    title = "multiprocessing.Pool"
    module = "multiprocessing"
    batches = (1_000, 10_000, 100_000, 500_000)

    def __init__(self, workers, initializer=None, arguments=()):
        import multiprocessing

        super().__init__(workers)
        self.pool = multiprocessing.get_context("fork").Pool(workers, initializer, arguments)

    def call(self, function, *arguments):
        return self.pool.apply(function, arguments)

    def map(self, function, elements):
        return self.pool.map(function, elements, chunksize=1)

    def map_in_batches(self, elements, size):
        return self.pool.map(bodies.increment, elements, chunksize=size)

    def stop(self):
        self.pool.terminate()
        self.pool.join()


class Executor(ForkedPool):
    title = "ProcessPoolExecutor"
    module = "concurrent.futures"
    batches = Pool.batches

    def __init__(self, workers, initializer=None, arguments=()):
        import concurrent.futures
        import multiprocessing

        super().__init__(workers)
        self.pool = concurrent.futures.ProcessPoolExecutor(
            workers, multiprocessing.get_context("fork"), initializer, arguments)

    def call(self, function, *arguments):
        return self.pool.submit(function, *arguments).result()

    def map(self, function, elements):
        return list(self.pool.map(function, elements, chunksize=1))

    def map_in_batches(self, elements, size):
        return list(self.pool.map(bodies.increment, elements, chunksize=size))

    def stop(self):
        self.pool.shutdown()


class Joblib(Peer):
    title = "joblib"
    module = "joblib"
    batches = ("auto", 100_000)

    def __init__(self, workers):
        super().__init__(workers)
        self.pool = None
        self.entered = {}

    def call(self, function, *arguments):
        # `Parallel` is for maps; this is the pool below it.
        if not self.pool:
            from joblib.externals.loky import ProcessPoolExecutor

            self.pool = ProcessPoolExecutor(self.workers)
        return self.pool.submit(function, *arguments).result()

    def parallel(self, function, arguments, **how):
        """Keeps its workers, as is the advice for one map after the other."""
        from joblib import Parallel, delayed

        how = tuple(how.items())
        if how not in self.entered:
            self.leave()
            self.entered[how] = Parallel(n_jobs=self.workers, **dict(how)).__enter__()
        return self.entered[how](delayed(function)(*each) for each in arguments)

    def leave(self):
        while self.entered:
            self.entered.popitem()[1].__exit__(None, None, None)

    def map(self, function, elements):
        return self.parallel(function, ((x,) for x in elements), batch_size=1, pre_dispatch="all")

    def map_in_batches(self, elements, size):
        return self.parallel(bodies.increment, ((x,) for x in elements), batch_size=size)

    def sums(self, captured):
        # An array of more than 1 MB goes through a file in shared memory, by itself.
        return self.parallel(bodies.array_sum, ((captured, i) for i in range(1, 101)))

    def stop(self):
        from joblib.externals.loky import get_reusable_executor

        self.leave()
        pool = self.pool or get_reusable_executor()  # the one that each `Parallel` has
        pool.shutdown(wait=True, kill_workers=True)


class Dask(Peer):
    title = "Dask"
    module = "distributed"

    def __init__(self, workers):
        from distributed import Client, LocalCluster

        super().__init__(workers)
        self.cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            silence_logs=50)
        self.client = Client(self.cluster)

    def call(self, function, *arguments):
        return self.client.submit(function, *arguments, pure=False).result()

    def map(self, function, elements):
        return self.client.gather(self.client.map(function, elements, pure=False))

    def map_chunks(self, chunks):
        # Lists it looks through element by element, on both ways, which takes minutes. Arrays of integers it does not.
        arrays = [array.array("q", chunk) for chunk in chunks]
        return self.map(bodies.increment_array, self.client.scatter(arrays, hash=False))

    def capture(self, values):
        return self.client.scatter(values, broadcast=True, hash=False)

    def sums(self, captured):
        return self.client.gather(self.client.map(bodies.array_sum, [captured] * 100, range(1, 101), pure=False))

    def release(self, captured):
        self.client.cancel(captured)

    def echo(self, values):
        return self.call(bodies.same, self.client.scatter(values, direct=True, hash=False))

    def stop(self):
        self.client.close()
        self.cluster.close()


class Ray(Peer):
    title = "Ray"
    module = "ray"

    def __init__(self, workers):
        import logging

        import ray

        super().__init__(workers)
        self.ray = ray
        ray.init(
            num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
            object_store_memory=1_000_000_000, _node_ip_address="127.0.0.1")
        self.remotes = {}

    def remote(self, function):
        if function not in self.remotes:
            self.remotes[function] = self.ray.remote(function)
        return self.remotes[function]

    def call(self, function, *arguments):
        return self.ray.get(self.remote(function).remote(*arguments))

    def map(self, function, elements):
        remote = self.remote(function)
        return self.ray.get([remote.remote(x) for x in elements])

    def capture(self, values):
        return self.ray.put(values)

    def sums(self, captured):
        remote = self.remote(bodies.array_sum)
        return self.ray.get([remote.remote(captured, i) for i in range(1, 101)])

    def stop(self):
        self.ray.shutdown()


class MPI(Peer):
    title = "mpi4py.futures"
    module = "mpi4py"
    batches = Pool.batches

    def __init__(self, workers):
        from mpi4py.futures import MPIPoolExecutor

        super().__init__(workers)
        # The workers are there before, but for `start`, which has the library spawn them.
        self.pool = MPIPoolExecutor(workers)
        self.pool.bootup()

    call = Executor.call
    map = Executor.map
    map_in_batches = Executor.map_in_batches
    stop = Executor.stop

    def sums(self, captured):
        import functools

        # Nothing keeps an array between calls. So it is sent with each of two batches, and that is all there is.
        return list(self.pool.map(functools.partial(bodies.array_sum, captured), range(1, 101), chunksize=50))


PEERS = {"pool": Pool, "executor": Executor, "joblib": Joblib, "dask": Dask, "ray": Ray, "mpi": MPI}


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def repeated(work, warm=True):
    """Seconds of each repeat; the first is not kept."""
    if warm:
        work()
    end = time.perf_counter() + LIMIT
    times = []
    while len(times) < REPEATS and (not times or time.perf_counter() < end):
        times.append(timed(work))
    return times


def count_for(seconds, work, most):
    """How often `work` can be done in that many seconds; at most `most` times."""
    count = 10
    work(count)  # Some start their workers here.
    while count < most:
        if (took := timed(lambda: work(count))) > seconds / 10:
            return max(10, min(most, int(count * seconds / took)))
        count *= 4
    return most


def report(workload, values, how=""):
    print(json.dumps({"workload": workload, "values": values, "how": how}), flush=True)


def measure_call(make):
    peer = make(1)

    def calls(count):
        for i in range(count):
            assert peer.call(bodies.increment, i) == i + 1

    count = count_for(1, calls, 10_000)
    report("call", [seconds / count * 1e6 for seconds in repeated(lambda: calls(count))])
    return peer


def measure_one(make):
    peer = make(2)

    def elements(count):
        result = peer.map(bodies.increment, range(count))
        assert len(result) == count and result[-1] == count

    count = count_for(1, elements, 100_000)
    report("one", [count / seconds / 1e3 for seconds in repeated(lambda: elements(count))], f"{count} elements")
    return peer


def best(sizes, run):
    """The size with which `run` is fastest, of one try each."""
    def seconds(size):
        run(size)
        return timed(lambda: run(size))
    return min(sizes, key=seconds)


def measure_million(make):
    peer = make(2)
    if not peer.batches:
        report("million", [], "no batches")
        return peer
    elements = list(range(ELEMENTS))
    wanted = bodies.increment_all(elements)
    assert peer.map_in_batches(elements, peer.batches[-1]) == wanted

    size = best(peer.batches, lambda size: peer.map_in_batches(elements, size))
    times = repeated(lambda: peer.map_in_batches(elements, size), warm=False)
    report("million", [ELEMENTS / seconds / 1e6 for seconds in times], f"batches: {size}")
    return peer


def measure_chunks(make):
    peer = make(2)
    elements = list(range(ELEMENTS))
    wanted = bodies.increment_all(elements)

    def run(size):
        chunks = [elements[start:start + size] for start in range(0, ELEMENTS, size)]
        results = []
        for part in peer.map_chunks(chunks):
            results += part
        return results

    sizes = (10_000, 100_000, 500_000)
    assert run(sizes[-1]) == wanted
    size = best(sizes, run)
    times = repeated(lambda: run(size), warm=False)
    report("chunks", [ELEMENTS / seconds / 1e6 for seconds in times], f"lists of {size}")
    return peer


def make_array():
    import numpy

    return numpy.ones(10_000_000)


def measure_captured(make):
    peer = make(2)
    wanted = [10_000_000.0 + i for i in range(1, 101)]
    cold, warm = [], []
    end = time.perf_counter() + 2 * LIMIT
    while len(cold) <= REPEATS and (len(cold) < 2 or time.perf_counter() < end):
        values = make_array()  # A new one, which no worker has from before.
        start = time.perf_counter()
        captured = peer.capture(values)
        assert peer.sums(captured) == wanted
        cold.append(time.perf_counter() - start)
        warm.append(timed(lambda: peer.sums(captured)))
        peer.release(captured)
    report("cold", cold[1:])
    report("warm", warm[1:])
    return peer


def measure_echo(make):
    peer = make(2)
    values = make_array()

    def echo():
        assert peer.echo(values).nbytes == values.nbytes

    report("echo", [2 * values.nbytes / seconds / 1e9 for seconds in repeated(echo)])
    return peer


def measure_start(make):
    """In a program that runs and has loaded the library."""
    made = []

    def start():
        peer = make(2)
        made.append(peer)
        processes = set()
        while len(processes) < 2:
            processes |= set(peer.map(bodies.process_after, [0.001] * 2))

    times = []
    end = time.perf_counter() + 2 * LIMIT
    while len(times) <= REPEATS and (len(times) < 2 or time.perf_counter() < end):
        times.append(timed(start) * 1e3)
        made.pop().stop()
    report("start", times[1:])


def measure_memory(make):
    """One map; `maps` looks at the processes meanwhile."""
    peer = make(2)
    captured = peer.capture(make_array())
    peer.sums(captured)
    time.sleep(0.2)  # So that the last of it is seen too.
    peer.release(captured)
    return peer


def version(kind):
    import importlib
    import importlib.metadata
    import platform

    importlib.import_module(kind.module)
    if kind.module in sys.stdlib_module_names or "." in kind.module:
        return f"Python {platform.python_version()}"
    return importlib.metadata.version(kind.module)


def main():
    name, workload = sys.argv[1:3]
    kind = PEERS[name]
    warnings.filterwarnings("ignore")
    if workload == "version":
        try:
            print(json.dumps({"version": version(kind)}))
        except ModuleNotFoundError as error:
            print(json.dumps({"missing": str(error.name)}))
        return
    import importlib

    importlib.import_module(kind.module)
    peer = globals()[f"measure_{workload}"](kind)
    if peer:
        peer.stop()


if __name__ == "__main__":
    main()
