#pragma once
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sys/types.h>

// What glibc offers only under _GNU_SOURCE, or as variadics and macros: Swift's Glibc module lacks it.

/// The program's arguments, as the loader got them: there without /proc too.
int weir_argument_count(void);
const char *weir_argument(int index);

/// Names the calling thread, as `top -H` shows it; at most 15 characters.
void weir_thread_name(const char *name);
/// errno's text, safe to call from any thread.
void weir_error_text(int number, char *text, size_t size);
/// Fills with the kernel's randomness; 0, or -1 with errno.
int weir_random(void *bytes, size_t count);
/// The user id at the other end of a unix socket; -1 with errno.
int64_t weir_peer_uid(int socket);
/// No core dump and no ptrace by others: memory holds provider keys.
void weir_forbid_core_dumps(void);
/// Gives memory the heap no longer needs back to the system.
void weir_trim_heap(void);
/// Caps the heap's arenas: each costs memory that idle threads keep.
void weir_limit_heap_arenas(int count);

/// CLOCK_MONOTONIC, in nanoseconds.
uint64_t weir_monotonic_nanoseconds(void);
/// CLOCK_REALTIME since 1970, in microseconds.
int64_t weir_wall_microseconds(void);
/// Rests the calling thread, signals notwithstanding.
void weir_pause(uint64_t nanoseconds);
/// A condition variable that counts time on CLOCK_MONOTONIC.
void weir_condition_init(pthread_cond_t *condition);
/// Waits until signalled or `nanoseconds` have passed.
void weir_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds);

/// The events a descriptor is watched for, and those that happened.
enum { WEIR_READABLE = 1, WEIR_WRITABLE = 2, WEIR_ERROR = 4 };
typedef struct { int descriptor; uint32_t events; } weir_event;
int weir_epoll_create(void);
/// Watches, changes or (events = 0) forgets a descriptor; `known` tells whether it is watched already.
int weir_epoll_set(int epoll, int descriptor, uint32_t events, int known);
/// Waits at most `milliseconds` (-1: for ever); the number of events, or -1 with errno.
int weir_epoll_wait(int epoll, weir_event *events, int count, int milliseconds);
int weir_eventfd(void);

/// CRC-32C of the bytes, going on from `seed` (0 to begin).
uint32_t weir_crc32c(uint32_t seed, const void *bytes, size_t count);

/// On SIGSEGV and SIGBUS leaves an empty file at the path before the process dies as it would have: the next start then
/// knows that memory, perhaps a mapped file, was not what it should be. Call it once.
void weir_mark_crashes(const char *path);
