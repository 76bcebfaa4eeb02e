#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int argument_count;
static char **arguments;

// glibc hands the arguments to constructors.
__attribute__((constructor)) static void keep_arguments(int count, char **values, char **environment) {
    (void)environment;
    argument_count = count;
    arguments = values;
}

int weir_argument_count(void) { return argument_count; }
const char *weir_argument(int index) { return index < argument_count ? arguments[index] : 0; }

void weir_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void weir_error_text(int number, char *text, size_t size) {
    const char *known = strerror_r(number, text, size);
    if (known != text) {
        strncpy(text, known, size - 1);
        text[size - 1] = 0;
    }
}

int weir_random(void *bytes, size_t count) {
    for (size_t filled = 0; filled < count;) {
        ssize_t got = getrandom((char *)bytes + filled, count - filled, 0);
        if (got < 0 && errno != EINTR) return -1;
        if (got > 0) filled += (size_t)got;
    }
    return 0;
}

int64_t weir_peer_uid(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    return peer.uid;
}

void weir_forbid_core_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

void weir_trim_heap(void) { malloc_trim(0); }

void weir_limit_heap_arenas(int count) { mallopt(M_ARENA_MAX, count); }

uint64_t weir_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t weir_wall_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void weir_pause(uint64_t nanoseconds) {
    struct timespec rest = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (nanosleep(&rest, &rest) == -1 && errno == EINTR) {}
}

void weir_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void weir_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds) {
    uint64_t end = weir_monotonic_nanoseconds() + nanoseconds;
    struct timespec deadline = {(time_t)(end / 1000000000u), (long)(end % 1000000000u)};
    pthread_cond_timedwait(condition, mutex, &deadline);
}

int weir_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int weir_epoll_set(int epoll, int descriptor, uint32_t events, int known) {
    struct epoll_event event = {.events = 0, .data.fd = descriptor};
    if (events & WEIR_READABLE) event.events |= EPOLLIN;
    if (events & WEIR_WRITABLE) event.events |= EPOLLOUT;
    if (events == 0) return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
    // A descriptor number may have been closed and opened again without our knowing: try the other way too.
    if (epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
    if (errno != ENOENT && errno != EEXIST) return -1;
    return epoll_ctl(epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int weir_epoll_wait(int epoll, weir_event *events, int count, int milliseconds) {
    struct epoll_event got[64];
    int found = epoll_wait(epoll, got, count < 64 ? count : 64, milliseconds);
    for (int i = 0; i < found; i++) {
        uint32_t flags = 0;
        if (got[i].events & EPOLLIN) flags |= WEIR_READABLE;
        if (got[i].events & EPOLLOUT) flags |= WEIR_WRITABLE;
        if (got[i].events & (EPOLLERR | EPOLLHUP)) flags |= WEIR_ERROR;
        events[i].descriptor = got[i].data.fd;
        events[i].events = flags;
    }
    return found;
}

int weir_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// CRC-32C, reflected polynomial 0x82F63B78: eight bytes an instruction on x86-64 with SSE 4.2, else a table.
static uint32_t crc_table[256];

__attribute__((constructor)) static void fill_crc_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0);
        crc_table[byte] = value;
    }
}

static uint32_t crc32c_table(uint32_t crc, const uint8_t *bytes, size_t count) {
    while (count--) crc = crc >> 8 ^ crc_table[(crc ^ *bytes++) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (count--) crc = __builtin_ia32_crc32qi(crc, *bytes++);
    return crc;
}
#endif

uint32_t weir_crc32c(uint32_t seed, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc32c_fast(~seed, bytes, count);
#endif
    return ~crc32c_table(~seed, bytes, count);
}

static char crash_path[4096];

static void mark_crash(int number) {
    int file = open(crash_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file >= 0) close(file);
    raise(number);  // SA_RESETHAND has put the default back: the process ends when this handler does
}

void weir_mark_crashes(const char *path) {
    static char stack[16384];
    if (strlen(path) >= sizeof crash_path) return;
    strcpy(crash_path, path);
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, 0);  // the calling thread's; others use their own stack
    struct sigaction action = {.sa_handler = mark_crash, .sa_flags = SA_RESETHAND | SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &action, 0);
    sigaction(SIGBUS, &action, 0);
}
