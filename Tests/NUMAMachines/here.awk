# Prints where this process is, as Linux tells it: worker, CPUs, memory policy, NUMA nodes of its memory.
BEGIN {
    # Some memory of its own, 2 MB at least.
    for (touched = "x"; length(touched) < 2097152;) touched = touched touched
    while ((getline line < "/proc/self/status") > 0)
        if (line ~ /^Cpus_allowed_list:/) { sub(/.*:[ \t]*/, "", line); allowed = line }
    ranges = split(allowed, range, ",")
    for (i = 1; i <= ranges; i++) {
        ends = split(range[i], bound, "-")
        for (cpu = bound[1] + 0; cpu <= bound[ends] + 0; cpu++) cpus = cpus (cpus == "" ? "" : ",") cpu
    }
    while ((getline line < "/proc/self/numa_maps") > 0) {
        fields = split(line, field, " ")
        # The stack has no policy of its own: what it shows is the process's.
        if (line ~ / stack /) policy = field[2]
        # Memory that files show is anybody's.
        if (line ~ / file=/) continue
        for (i = 3; i <= fields; i++)
            if (field[i] ~ /^N[0-9]+=/) {
                split(substr(field[i], 2), pair, "=")
                pages[pair[1] + 0] += pair[2]
                sum += pair[2]
            }
    }
    for (node = 0; node < 1024; node++) if (node in pages) nodes = nodes (nodes == "" ? "" : ",") node
    if (sum < 512) nodes = "missing"
    printf "worker %s cpus %s memory %s pages %s\n", ENVIRON["MUSTER_WORKER"], cpus, policy, nodes
}
