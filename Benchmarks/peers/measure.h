// Measures a peer and prints what `Tools/bench --json` prints of Muster. Each program takes
//   --filter SHAPE   one shape only
//   --alone SHAPE/KEY --times N   one operation, N times and nothing else
#pragma once
extern "C" {
#include "floors.h"
}
#include "data.h"
#include <algorithm>
#include <cstdlib>
#include <functional>

/// Keeps the compiler from leaving out what makes the value.
template <class T> inline void black_hole(T const &value) { __asm__ volatile("" : : "r"(&value) : "memory"); }

inline void check(uint64_t sum, uint64_t expected) {
    if (sum != expected) {
        fprintf(stderr, "the decoded value is another\n");
        exit(1);
    }
}

struct Shape {
    const char *name, *unit;
    double amount;    // of the unit's numerator, per pass
    double records;   // per pass
    int passes;       // timed together
};

static const Shape doubles = {"doubles", "GB/s", 0.08, 1e7, 1};
static const Shape records = {"records", "M/s", 0.1, 1e5, 5};
static const Shape log_lines = {"log", "M/s", 0.01, 1e4, 20};
static const Shape mesh = {"mesh", "GB/s", 0.006, 125000, 10};
static const Shape mk48 = {"mk48", "M/s", 0.019481, 19481, 20};

class Peer {
    std::string filter, alone;
    int times = 1;
    std::string key;
    bool first = true;

public:
    Peer(const char *key, int count, char **arguments) : key(key) {
        for (int index = 1; index + 1 < count; index += 2) {
            std::string name = arguments[index];
            if (name == "--filter") filter = arguments[index + 1];
            if (name == "--alone") alone = arguments[index + 1];
            if (name == "--times") times = atoi(arguments[index + 1]);
        }
        floor_keep_memory();
        if (alone.empty()) printf("{\"benchmarks\":[");
    }
    ~Peer() {
        if (alone.empty()) printf("]}\n");
    }
    bool wants(const Shape &shape) {
        if (!alone.empty()) return alone.rfind(std::string(shape.name) + "/", 0) == 0;
        return filter.empty() || filter == shape.name;
    }
    /// Measures one operation; `bytes` is asked after it ran.
    template <class Work>
    void operator()(const Shape &shape, const char *operation, const char *label, size_t bytes, Work work) {
        if (!alone.empty()) {
            if (alone != std::string(shape.name) + "/" + key + "." + operation) return;
            for (int time = 0; time < times; time++) work();
            return;
        }
        work();
        long before = floor_allocations();
        work();
        double allocations = (double)(floor_allocations() - before) / shape.records;
        printf("%s\n{\"name\":\"wire-%s\",\"unit\":\"%s\",\"series\":[{\"key\":\"%s.%s\",\"label\":\"%s\",\"bytes\":%zu,"
               "\"allocations\":%.3g,\"values\":[",
               first ? "" : ",", shape.name, shape.unit, key.c_str(), operation, label, bytes, allocations);
        first = false;
        for (int repeat = 0; repeat < 3; repeat++) {
            double start = floor_seconds();
            for (int pass = 0; pass < shape.passes; pass++) work();
            printf("%s%.6g", repeat ? "," : "", shape.amount * shape.passes / (floor_seconds() - start));
        }
        printf("]}]}");
    }
};
