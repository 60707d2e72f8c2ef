// What OpenSSL and the kernel do over loopback, beside which links between hosts are measured: two processes, blocking
// sockets with TCP_NODELAY, TLS 1.2 with a pre-shared key.
//
//   cc -O2 -o tls Benchmarks/peers/tls.c -lssl -lcrypto
//   ./tls round-trip SUITE TIMES      median of 5: µs for a frame of 17 bytes there and back
//   ./tls one-way SUITE MEGABYTES     median of 5: MB/s, written 128 KiB at a time
//   ./tls compare MEGABYTES           one-way with each suite in turn, 7 rounds, medians
//
// SUITE: plain (no TLS), chacha (ECDHE-PSK-CHACHA20-POLY1305, ours), aes128 (PSK-AES128-GCM-SHA256), aes256, or
// tls13-aes128, tls13-chacha (an external pre-shared key of TLS 1.3, with ECDHE).
//
// BoringSSL, which NIOSSL is made of, has no AES-GCM suite with a pre-shared key for TLS 1.2: only AES-CBC and ChaCha20.
// To have AES-GCM a link would need TLS 1.3 with an imported pre-shared key (SSL_CREDENTIAL_new_pre_shared_key in the
// BoringSSL that NIOSSL 2.37.6 carries, RFC 9258), which NIOSSL gives no way to set; or certificates: a key pair for each
// launch, pinned in its join file, and with it swift-certificates and swift-crypto, which triple the build.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const unsigned char key[32] = "0123456789abcdef0123456789abcde";
static const char *suite_name;
static int is_tls13;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static const char *openssl_name(const char *suite) {
    if (!strcmp(suite, "chacha")) return "ECDHE-PSK-CHACHA20-POLY1305";
    if (!strcmp(suite, "aes128")) return "PSK-AES128-GCM-SHA256";
    if (!strcmp(suite, "aes256")) return "PSK-AES256-GCM-SHA384";
    if (!strcmp(suite, "tls13-aes128")) return "TLS_AES_128_GCM_SHA256";
    if (!strcmp(suite, "tls13-chacha")) return "TLS_CHACHA20_POLY1305_SHA256";
    if (!strcmp(suite, "plain")) return NULL;
    fprintf(stderr, "no suite %s\n", suite);
    exit(64);
}

static unsigned psk_client(SSL *ssl, const char *hint, char *identity, unsigned longest, unsigned char *psk, unsigned most) {
    (void)ssl, (void)hint;
    snprintf(identity, longest, "launch");
    memcpy(psk, key, sizeof key);
    return most >= sizeof key ? sizeof key : 0;
}

static unsigned psk_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned most) {
    (void)ssl, (void)identity;
    memcpy(psk, key, sizeof key);
    return most >= sizeof key ? sizeof key : 0;
}

// One side of a connection: with TLS or without.
struct side {
    int socket;
    SSL *ssl;
};

static struct side open_side(int socket, int is_server) {
    struct side side = {socket, NULL};
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!suite_name) return side;
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    int version = is_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    // External keys of TLS 1.3 go with SHA-256 when they come through these callbacks, which both of ours use.
    int is_set = is_tls13 ? SSL_CTX_set_ciphersuites(context, suite_name) : SSL_CTX_set_cipher_list(context, suite_name);
    if (!is_set) fail("cipher suite");
    SSL_CTX_set_psk_client_callback(context, psk_client);
    SSL_CTX_set_psk_server_callback(context, psk_server);
    side.ssl = SSL_new(context);
    SSL_set_fd(side.ssl, socket);
    if ((is_server ? SSL_accept(side.ssl) : SSL_connect(side.ssl)) != 1) fail("handshake");
    if (strcmp(SSL_get_cipher(side.ssl), suite_name)) fail("another suite than wanted");
    return side;
}

static void put(struct side side, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count) {
        long n = side.ssl ? SSL_write(side.ssl, next, count) : write(side.socket, next, count);
        if (n <= 0) fail("write");
        next += n;
        count -= n;
    }
}

static void get(struct side side, void *bytes, size_t count) {
    char *next = bytes;
    while (count) {
        long n = side.ssl ? SSL_read(side.ssl, next, count) : read(side.socket, next, count);
        if (n <= 0) fail("read");
        next += n;
        count -= n;
    }
}

#define CHUNK (128 << 10)
#define FRAME 17

// Microseconds for a round trip, or MB/s.
static double measure(int is_bulk, const char *suite, long count) {
    suite_name = openssl_name(suite);
    is_tls13 = !strncmp(suite, "tls13", 5);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (void *)&address, length) || listen(listener, 1)) fail("listen");
    getsockname(listener, (void *)&address, &length);
    static char chunk[CHUNK];
    pid_t child = fork();
    if (child == 0) {
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connection, (void *)&address, sizeof address)) fail("connect");
        struct side side = open_side(connection, 0);
        if (is_bulk) {
            for (long left = count * 1000000 / CHUNK; left > 0; left--) get(side, chunk, CHUNK);
            put(side, chunk, 1);
        } else {
            for (long left = count; left > 0; left--) get(side, chunk, FRAME), put(side, chunk, FRAME);
        }
        _exit(0);
    }
    struct side side = open_side(accept(listener, NULL, NULL), 1);
    close(listener);
    double start = now();
    if (is_bulk) {
        for (long left = count * 1000000 / CHUNK; left > 0; left--) put(side, chunk, CHUNK);
        get(side, chunk, 1);
    } else {
        for (long left = count; left > 0; left--) put(side, chunk, FRAME), get(side, chunk, FRAME);
    }
    double seconds = now() - start;
    close(side.socket);
    waitpid(child, NULL, 0);
    return is_bulk ? count / seconds : seconds / count * 1e6;
}

static int compare(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static double median(double *values, int count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

int main(int count, char **words) {
    double values[8][7];
    if (count == 3 && !strcmp(words[1], "compare")) {
        const char *suites[] = {"plain", "chacha", "aes128", "aes256", "tls13-chacha", "tls13-aes128"};
        int n = sizeof suites / sizeof *suites;
        // In turn, so that whatever else the machine does meets them all alike.
        for (int round = 0; round < 7; round++)
            for (int i = 0; i < n; i++) values[i][round] = measure(1, suites[i], atol(words[2]));
        for (int i = 0; i < n; i++) printf("%-14s %7.0f MB/s\n", suites[i], median(values[i], 7));
    } else if (count == 4 && (!strcmp(words[1], "round-trip") || !strcmp(words[1], "one-way"))) {
        int is_bulk = !strcmp(words[1], "one-way");
        for (int round = 0; round < 5; round++) values[0][round] = measure(is_bulk, words[2], atol(words[3]));
        printf("%.*f %s\n", is_bulk ? 0 : 1, median(values[0], 5), is_bulk ? "MB/s" : "µs");
    } else {
        fprintf(stderr, "usage: tls round-trip|one-way SUITE TIMES|MEGABYTES, or tls compare MEGABYTES\n");
        return 64;
    }
}
