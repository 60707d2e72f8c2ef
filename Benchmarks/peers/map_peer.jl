# Measures Julia's Distributed with one workload, for `maps`: julia map_peer.jl WORKLOAD
# Prints lines of JSON, as map_peer.py does.
using Distributed

const ELEMENTS = 1_000_000
const REPEATS = 5
const LIMIT = 8

report(workload, values, how="") =
    println("{\"workload\": \"$workload\", \"values\": [$(join(values, ", "))], \"how\": \"$how\"}")

timed(work) = (start = time_ns(); work(); (time_ns() - start) / 1e9)

"Seconds of each repeat; the first is not kept."
function repeated(work; warm=true)
    warm && work()
    stop = time() + LIMIT
    times = Float64[]
    while length(times) < REPEATS && (isempty(times) || time() < stop)
        push!(times, timed(work))
    end
    times
end

"How often `work` can be done in that many seconds; at most `most` times."
function count_for(seconds, work, most)
    count = 10
    work(count)  # Compiles.
    while count < most
        took = timed(() -> work(count))
        took > seconds / 10 && return clamp(floor(Int, count * seconds / took), 10, most)
        count *= 4
    end
    most
end

"The size with which `run` is fastest, of one try each."
function best(sizes, run)
    seconds(size) = (run(size); timed(() -> run(size)))
    sizes[argmin([seconds(size) for size in sizes])]
end

function call()
    worker = workers()[1]
    calls(count) = for i in 1:count
        remotecall_fetch(increment, worker, i) == i + 1 || error("wrong")
    end
    count = count_for(1, calls, 10_000)
    report("call", repeated(() -> calls(count)) ./ count .* 1e6)
end

function one()
    elements(count) = pmap(increment, 1:count)[end] == count + 1 || error("wrong")
    count = count_for(1, elements, 100_000)
    report("one", count ./ repeated(() -> elements(count)) ./ 1e3, "$count elements")
end

function million()
    elements = collect(1:ELEMENTS)
    few = elements[1:100_000]
    size = best([100, 1_000, 10_000, 50_000], size -> pmap(increment, few; batch_size=size))
    run() = pmap(increment, elements; batch_size=size)
    run() == elements .+ 1 || error("wrong")
    report("million", ELEMENTS ./ repeated(run; warm=false) ./ 1e6, "batches: $size")
end

function chunks()
    elements = collect(1:ELEMENTS)
    run(size) = reduce(vcat, pmap(increment_all, [elements[start:start + size - 1] for start in 1:size:ELEMENTS]))
    run(500_000) == elements .+ 1 || error("wrong")
    size = best([10_000, 100_000, 500_000], run)
    report("chunks", ELEMENTS ./ repeated(() -> run(size); warm=false) ./ 1e6, "vectors of $size")
end

function captured()
    wanted = [1e7 + i for i in 1:100]
    cold, warm = Float64[], Float64[]
    stop = time() + 2 * LIMIT
    while length(cold) <= REPEATS && (length(cold) < 2 || time() < stop)
        array = ones(10_000_000)
        pool = CachingPool(workers())
        body = i -> sum(array) + i
        sums() = pmap(body, pool, 1:100) == wanted || error("wrong")
        push!(cold, timed(sums))
        push!(warm, timed(sums))
        clear!(pool)
    end
    report("cold", cold[2:end])
    report("warm", warm[2:end])
end

function echo()
    array = ones(10_000_000)
    worker = workers()[1]
    report("echo", 0.16 ./ repeated(() -> remotecall_fetch(identity, worker, array)))
end

function start()
    up() = (addprocs(2); @sync for worker in workers(); @async remotecall_fetch(myid, worker); end)
    times = Float64[]
    stop = time() + 2 * LIMIT
    while length(times) <= REPEATS && (length(times) < 2 || time() < stop)
        push!(times, timed(up) * 1e3)
        rmprocs(workers())
    end
    report("start", times[2:end])
end

function memory()
    array = ones(10_000_000)
    pmap(i -> sum(array) + i, CachingPool(workers()), 1:100)
    sleep(0.2)
end

const workload = ARGS[1]
if workload == "version"
    println("{\"version\": \"$VERSION\"}")
else
    workload == "start" || addprocs(workload == "call" ? 1 : 2)
    @everywhere increment(x) = x + 1
    @everywhere increment_all(chunk) = map(increment, chunk)
    getfield(Main, Symbol(workload))()
    workload == "start" || rmprocs(workers())
end
