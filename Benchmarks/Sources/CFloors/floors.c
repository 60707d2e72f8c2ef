#define _GNU_SOURCE
#include "floors.h"
#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const long warm_up = 500;

double floor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int bind_thread(pid_t thread, const int *cpus, size_t count) {
    int most = 0;
    for (size_t index = 0; index < count; index++) {
        most = cpus[index] > most ? cpus[index] : most;
    }
    cpu_set_t *set = CPU_ALLOC(most + 1);
    if (set == NULL) {
        return ENOMEM;
    }
    size_t size = CPU_ALLOC_SIZE(most + 1);
    CPU_ZERO_S(size, set);
    for (size_t index = 0; index < count; index++) {
        CPU_SET_S(cpus[index], size, set);
    }
    int code = sched_setaffinity(thread, size, set) == 0 ? 0 : errno;
    CPU_FREE(set);
    return code;
}

int floor_bind_process(const int *cpus, size_t count) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) {
        return errno;
    }
    int code = 0;
    struct dirent *entry;
    while ((entry = readdir(threads)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        int error = bind_thread((pid_t)atol(entry->d_name), cpus, count);
        if (error != 0 && error != ESRCH) {
            code = error;
        }
    }
    closedir(threads);
    return code;
}

// The calling thread sits on one CPU during a measurement, and where it sat before afterwards.

static cpu_set_t pin(int cpu) {
    cpu_set_t before;
    sched_getaffinity(0, sizeof before, &before);
    bind_thread(0, &cpu, 1);
    return before;
}

static void unpin(cpu_set_t before) {
    sched_setaffinity(0, sizeof before, &before);
}

/// The other process of a pair: pinned, and gone when this one is. It may only make system calls: its memory is a copy
/// of that of a process with threads.
static pid_t other(int cpu) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bind_thread(0, &cpu, 1);
    }
    return child;
}

/// Two ends of a connection over loopback TCP, without delays.
static int tcp_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, code = -1;
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
        connect(ends[0], (struct sockaddr *)&address, length) == 0) {
        ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        code = ends[1] < 0 ? -1 : 0;
        for (int end = 0; code == 0 && end < 2; end++) {
            code = setsockopt(ends[end], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }
    close(listener);
    return code;
}

static double round_trip(int ends[2], int cpu, int other_cpu, long calls);

double floor_socket_round_trip(int cpu, int other_cpu, long calls) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    return round_trip(ends, cpu, other_cpu, calls);
}

double floor_tcp_round_trip(int cpu, int other_cpu, long calls) {
    int ends[2];
    return tcp_pair(ends) == 0 ? round_trip(ends, cpu, other_cpu, calls) : -1;
}

static double round_trip(int ends[2], int cpu, int other_cpu, long calls) {
    pid_t child = other(other_cpu);
    if (child < 0) {
        return -1;
    }
    int64_t value = 0;
    if (child == 0) {
        close(ends[0]);
        while (read(ends[1], &value, sizeof value) == sizeof value) {
            value++;
            if (write(ends[1], &value, sizeof value) != sizeof value) {
                break;
            }
        }
        _exit(0);
    }
    close(ends[1]);
    cpu_set_t before = pin(cpu);
    double start = 0;
    for (long call = -warm_up; call < calls; call++) {
        if (call == 0) {
            start = floor_seconds();
        }
        if (write(ends[0], &value, sizeof value) != sizeof value ||
            read(ends[0], &value, sizeof value) != sizeof value) {
            start = -1;
            break;
        }
    }
    double end = floor_seconds();
    close(ends[0]);
    waitpid(child, NULL, 0);
    unpin(before);
    return start < 0 ? -1 : (end - start) / (double)calls * 1e6;
}

struct ring {
    _Alignas(64) _Atomic uint32_t request;
    _Alignas(64) int64_t argument;
    _Alignas(64) _Atomic uint32_t reply;
    _Alignas(64) int64_t result;
};

static void await(_Atomic uint32_t *turn, uint32_t wanted, long spins) {
    for (long spin = 0; spin < spins; spin++) {
        if (atomic_load_explicit(turn, memory_order_acquire) == wanted) {
            return;
        }
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
    uint32_t seen;
    while ((seen = atomic_load_explicit(turn, memory_order_acquire)) != wanted) {
        syscall(SYS_futex, turn, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static void announce(_Atomic uint32_t *turn, uint32_t value) {
    atomic_store_explicit(turn, value, memory_order_release);
    syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

double floor_ring_round_trip(int cpu, int other_cpu, long calls, long spins) {
    struct ring *ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED) {
        return -1;
    }
    uint32_t last = (uint32_t)(warm_up + calls);
    pid_t child = other(other_cpu);
    if (child < 0) {
        return -1;
    }
    if (child == 0) {
        for (uint32_t turn = 1; turn <= last; turn++) {
            await(&ring->request, turn, spins);
            ring->result = ring->argument + 1;
            announce(&ring->reply, turn);
        }
        _exit(0);
    }
    cpu_set_t before = pin(cpu);
    double start = 0;
    for (uint32_t turn = 1; turn <= last; turn++) {
        if (turn == warm_up + 1) {
            start = floor_seconds();
        }
        ring->argument = ring->result;
        announce(&ring->request, turn);
        await(&ring->reply, turn, spins);
    }
    double end = floor_seconds();
    waitpid(child, NULL, 0);
    unpin(before);
    munmap(ring, sizeof *ring);
    return (end - start) / (double)calls * 1e6;
}

// Frames through rings of bytes: what `SharedMemoryLink` does, by hand. Each side keeps its own count and the last it
// saw of the other's, the reader copies out, and a side is woken only if it says that it sleeps.

enum { stream_capacity = 1 << 18 };

struct stream {
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) _Atomic uint32_t reader_sleeps;
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(128) _Atomic uint32_t writer_sleeps;
    _Alignas(128) char bytes[stream_capacity];
};

struct end {
    struct stream *stream;
    uint64_t own, shown, seen;
    long spins;
};

static void advance(_Atomic uint64_t *count, _Atomic uint32_t *sleeps, uint64_t value) {
    atomic_store(count, value);
    if (atomic_load(sleeps) != 0 && atomic_exchange(sleeps, 0) != 0) {
        syscall(SYS_futex, sleeps, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static uint64_t await_change(_Atomic uint64_t *count, _Atomic uint32_t *sleeps, uint64_t seen, long spins) {
    uint64_t now;
    for (long spin = 0; spin < spins; spin++) {
        if ((now = atomic_load_explicit(count, memory_order_acquire)) != seen) {
            return now;
        }
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("isb");
#endif
    }
    while ((now = atomic_load(count)) == seen) {
        atomic_store(sleeps, 1);
        if (atomic_load(count) == seen) {
            syscall(SYS_futex, sleeps, FUTEX_WAIT, 1, NULL, NULL, 0);
        }
        atomic_store_explicit(sleeps, 0, memory_order_relaxed);
    }
    return now;
}

static void put(struct end *writer, const char *from, size_t count) {
    struct stream *stream = writer->stream;
    while (count > 0) {
        size_t space = stream_capacity - (writer->own - writer->seen);
        if (space < count) {
            writer->seen = atomic_load_explicit(&stream->head, memory_order_acquire);
            space = stream_capacity - (writer->own - writer->seen);
        }
        if (space == 0) {
            advance(&stream->tail, &stream->reader_sleeps, writer->own);
            writer->seen = await_change(&stream->head, &stream->writer_sleeps, writer->seen, writer->spins);
            continue;
        }
        size_t offset = writer->own & (stream_capacity - 1);
        size_t part = count < space ? count : space;
        size_t first = part < stream_capacity - offset ? part : stream_capacity - offset;
        memcpy(stream->bytes + offset, from, first);
        if (first < part) {
            memcpy(stream->bytes, from + first, part - first);
        }
        writer->own += part;
        from += part;
        count -= part;
    }
}

static void put_frame(struct end *writer, const char *from, uint64_t count) {
    put(writer, (const char *)&count, sizeof count);
    put(writer, from, count);
    advance(&writer->stream->tail, &writer->stream->reader_sleeps, writer->own);
}

static void get(struct end *reader, char *to, size_t count) {
    struct stream *stream = reader->stream;
    while (count > 0) {
        size_t there = reader->seen - reader->own;
        if (there < count) {
            reader->seen = atomic_load_explicit(&stream->tail, memory_order_acquire);
            there = reader->seen - reader->own;
        }
        if (there == 0) {
            reader->seen = await_change(&stream->tail, &stream->reader_sleeps, reader->seen, reader->spins);
            continue;
        }
        size_t offset = reader->own & (stream_capacity - 1);
        size_t part = count < there ? count : there;
        size_t first = part < stream_capacity - offset ? part : stream_capacity - offset;
        memcpy(to, stream->bytes + offset, first);
        if (first < part) {
            memcpy(to + first, stream->bytes, part - first);
        }
        reader->own += part;
        if (reader->own - reader->shown >= stream_capacity / 8) {
            reader->shown = reader->own;
            advance(&stream->head, &stream->writer_sleeps, reader->own);
        }
        to += part;
        count -= part;
    }
}

static uint64_t get_frame(struct end *reader, char *to) {
    uint64_t count;
    get(reader, (char *)&count, sizeof count);
    get(reader, to, count);
    return count;
}

static struct stream *two_streams(void) {
    struct stream *streams =
        mmap(NULL, 2 * sizeof *streams, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (streams == MAP_FAILED) {
        return NULL;
    }
    memset(streams, 0, 2 * sizeof *streams);
    return streams;
}

double floor_frame_round_trip(int cpu, int other_cpu, size_t size, long calls, long spins) {
    struct stream *streams = two_streams();
    char *frame = calloc(1, size);
    pid_t child = streams == NULL || frame == NULL ? -1 : other(other_cpu);
    if (child < 0) {
        return -1;
    }
    struct end there = {.stream = &streams[0], .spins = spins}, back = {.stream = &streams[1], .spins = spins};
    if (child == 0) {
        for (long call = -warm_up; call < calls; call++) {
            put_frame(&back, frame, get_frame(&there, frame));
        }
        _exit(0);
    }
    cpu_set_t before = pin(cpu);
    double start = 0;
    for (long call = -warm_up; call < calls; call++) {
        if (call == 0) {
            start = floor_seconds();
        }
        put_frame(&there, frame, size);
        get_frame(&back, frame);
    }
    double end = floor_seconds();
    waitpid(child, NULL, 0);
    unpin(before);
    free(frame);
    munmap(streams, 2 * sizeof *streams);
    return (end - start) / (double)calls * 1e6;
}

double floor_frames_one_way(int cpu, int other_cpu, size_t size, long calls, long spins) {
    struct stream *streams = two_streams();
    char *frame = calloc(1, size);
    pid_t child = streams == NULL || frame == NULL ? -1 : other(other_cpu);
    if (child < 0) {
        return -1;
    }
    struct end there = {.stream = &streams[0], .spins = spins}, back = {.stream = &streams[1], .spins = spins};
    if (child == 0) {
        for (long call = -warm_up; call < calls; call++) {
            get_frame(&there, frame);
        }
        put_frame(&back, frame, 1);
        _exit(0);
    }
    cpu_set_t before = pin(cpu);
    double start = 0;
    for (long call = -warm_up; call < calls; call++) {
        if (call == 0) {
            start = floor_seconds();
        }
        put_frame(&there, frame, size);
    }
    get_frame(&back, frame);
    double end = floor_seconds();
    waitpid(child, NULL, 0);
    unpin(before);
    free(frame);
    munmap(streams, 2 * sizeof *streams);
    return (double)size * (double)calls / (end - start) * 1e-9;
}

static void *pages(size_t size) {
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

double floor_copy(size_t size, int fresh) {
    char *from = pages(size), *to = pages(size);
    if (from == NULL || to == NULL) {
        return -1;
    }
    memset(from, 1, size);
    if (!fresh) {
        memset(to, 2, size);
    }
    double start = floor_seconds();
    memcpy(to, from, size);
    __asm__ volatile("" : : "r"(to) : "memory");
    double seconds = floor_seconds() - start;
    munmap(from, size);
    munmap(to, size);
    return seconds;
}

double floor_four_copies(size_t size) {
    char *blocks[5];
    for (int index = 0; index < 5; index++) {
        blocks[index] = pages(size);
        if (blocks[index] == NULL) {
            return -1;
        }
        memset(blocks[index], index, size);
    }
    double start = floor_seconds();
    for (int index = 0; index < 4; index++) {
        memcpy(blocks[index + 1], blocks[index], size);
        __asm__ volatile("" : : "r"(blocks[index + 1]) : "memory");
    }
    double seconds = floor_seconds() - start;
    for (int index = 0; index < 5; index++) {
        munmap(blocks[index], size);
    }
    return seconds;
}

struct sums {
    int cpu;
    const double *numbers;
    size_t count;
    long sums;
    double result;
};

static void *sum_repeatedly(void *argument) {
    struct sums *work = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(work->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    for (long round = 0; round < work->sums; round++) {
        double sum = 0;
        for (size_t index = 0; index < work->count; index++) {
            sum += work->numbers[index];
        }
        work->result += sum;
    }
    return NULL;
}

double floor_two_thread_sums(int cpu, int other_cpu, size_t count, long sums) {
    double *numbers = (double *)pages(count * sizeof(double));
    if (numbers == NULL) {
        return -1;
    }
    for (size_t index = 0; index < count; index++) {
        numbers[index] = 1;
    }
    struct sums work[2] = {{cpu, numbers, count, sums / 2, 0}, {other_cpu, numbers, count, sums - sums / 2, 0}};
    pthread_t threads[2];
    double start = floor_seconds();
    int started = 0;
    while (started < 2 && pthread_create(&threads[started], NULL, sum_repeatedly, &work[started]) == 0) {
        started++;
    }
    for (int index = 0; index < started; index++) {
        pthread_join(threads[index], NULL);
    }
    double seconds = floor_seconds() - start;
    munmap(numbers, count * sizeof(double));
    return started == 2 && work[0].result + work[1].result == (double)count * (double)sums ? seconds : -1;
}

double floor_spawn(const char *program, const char *argument, long count) {
    char *arguments[] = {(char *)program, (char *)argument, NULL};
    pid_t *children = malloc(sizeof(pid_t) * (size_t)count);
    int failed = children == NULL;
    long started = 0;
    double start = floor_seconds();
    while (!failed && started < count) {
        failed = posix_spawn(&children[started], program, NULL, NULL, arguments, environ) != 0;
        started += !failed;
    }
    for (long index = 0; index < started; index++) {
        int status;
        failed |= waitpid(children[index], &status, 0) != children[index] || status != 0;
    }
    double seconds = floor_seconds() - start;
    free(children);
    return failed ? -1 : seconds;
}
