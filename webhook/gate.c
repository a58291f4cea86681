#include "webhook/gate.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"

#include "base/banned.h"

/* A peer that has connections; those that have none are chained in `unused`. */
struct peer {
    uint64_t key;
    uint32_t count;
    uint32_t next; /* index + 1 of the next in the bucket, or among the unused; 0: none */
};

struct http_gate {
    struct http_limits limits;
    atomic_size_t held; /* units */
    atomic_uint open;
    pthread_mutex_t mutex; /* for all below */
    uint32_t unused;
    uint32_t bucket_mask;
    uint32_t *buckets; /* index + 1 of the first, or 0 */
    struct peer *peers;
};

static uint32_t connections_possible(const struct http_limits *limits)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return limits->connections;
    if (files.rlim_cur <= limits->fd_reserve)
        return 1;
    if (files.rlim_cur - limits->fd_reserve < limits->connections)
        return (uint32_t)(files.rlim_cur - limits->fd_reserve);
    return limits->connections;
}

struct http_gate *http_gate_new(const struct http_limits *limits)
{
    struct http_gate *gate = xcalloc(1, sizeof(*gate));

    /* libh2o would move large request bodies to files in /tmp: we hold few, and have no /tmp. */
    h2o_socket_buffer_mmap_settings.threshold = SIZE_MAX;

    gate->limits = *limits;
    gate->limits.connections = connections_possible(limits);
    gate->limits.guard.body_bytes = limits->max_body;
    gate->limits.guard.inflight_bytes = limits->max_inflight;
    (void)pthread_mutex_init(&gate->mutex, NULL);

    const uint32_t count = gate->limits.connections;

    gate->bucket_mask = 1;
    while (gate->bucket_mask < count)
        gate->bucket_mask = gate->bucket_mask << 1 | 1;
    gate->buckets = xcalloc((size_t)gate->bucket_mask + 1, sizeof(*gate->buckets));
    gate->peers = xcalloc(count, sizeof(*gate->peers));
    for (uint32_t i = 0; i < count; i++)
        gate->peers[i].next = i + 1 < count ? i + 2 : 0;
    gate->unused = 1;
    return gate;
}

void http_gate_free(struct http_gate *gate)
{
    if (gate == NULL)
        return;
    (void)pthread_mutex_destroy(&gate->mutex);
    free(gate->buckets);
    free(gate->peers);
    free(gate);
}

const struct http_limits *gate_limits(const struct http_gate *gate)
{
    return &gate->limits;
}

/* An IPv4 address, mapped or not; the /64 of an IPv6 address, which is what one host may have. */
static uint64_t peer_key(const struct sockaddr_storage *from)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const uint64_t ipv4 = UINT64_C(0xffffffff) << 32; /* no unicast IPv6 prefix looks so */
    uint64_t key = 0;
    uint32_t address = 0;

    if (from->ss_family == AF_INET) {
        address = ((const struct sockaddr_in *)(const void *)from)->sin_addr.s_addr;
        return ipv4 | address;
    }
    if (from->ss_family != AF_INET6)
        return 0;

    const struct in6_addr *const ip = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;

    if (memcmp(ip->s6_addr, mapped, sizeof(mapped)) == 0) {
        memcpy(&address, ip->s6_addr + sizeof(mapped), sizeof(address));
        return ipv4 | address;
    }
    memcpy(&key, ip->s6_addr, sizeof(key));
    return key;
}

static uint32_t *bucket_of(struct http_gate *gate, uint64_t key)
{
    const uint64_t mixed = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);

    return &gate->buckets[(uint32_t)(mixed >> 32) & gate->bucket_mask];
}

/* The peer's index, new if need be; the caller holds the mutex and has counted the connection, so
 * that there is an unused one. */
static uint32_t find_peer(struct http_gate *gate, uint64_t key)
{
    uint32_t *const bucket = bucket_of(gate, key);

    for (uint32_t i = *bucket; i != 0; i = gate->peers[i - 1].next)
        if (gate->peers[i - 1].key == key)
            return i - 1;

    const uint32_t fresh = gate->unused - 1;

    gate->unused = gate->peers[fresh].next;
    gate->peers[fresh] = (struct peer){.key = key, .next = *bucket};
    *bucket = fresh + 1;
    return fresh;
}

static void forget_peer(struct http_gate *gate, uint32_t index)
{
    uint32_t *link = bucket_of(gate, gate->peers[index].key);

    while (*link != index + 1)
        link = &gate->peers[*link - 1].next;
    *link = gate->peers[index].next;
    gate->peers[index].next = gate->unused;
    gate->unused = index + 1;
}

bool gate_enter(struct http_gate *gate, const struct sockaddr_storage *from, struct gate_slot *slot,
                enum http_count *refused)
{
    bool good = false;

    (void)pthread_mutex_lock(&gate->mutex);
    if (atomic_load_explicit(&gate->open, memory_order_relaxed) >= gate->limits.connections) {
        *refused = HTTP_REFUSED_TOTAL;
    } else {
        const uint32_t peer = find_peer(gate, peer_key(from));

        if (gate->peers[peer].count >= gate->limits.connections_per_peer) {
            *refused = HTTP_REFUSED_PEER;
        } else {
            gate->peers[peer].count++;
            atomic_fetch_add_explicit(&gate->open, 1, memory_order_relaxed);
            slot->peer = peer;
            good = true;
        }
    }
    (void)pthread_mutex_unlock(&gate->mutex);
    return good;
}

void gate_leave(struct http_gate *gate, const struct gate_slot *slot)
{
    (void)pthread_mutex_lock(&gate->mutex);
    atomic_fetch_sub_explicit(&gate->open, 1, memory_order_relaxed);
    if (--gate->peers[slot->peer].count == 0)
        forget_peer(gate, slot->peer);
    (void)pthread_mutex_unlock(&gate->mutex);
}

bool gate_crowded(struct http_gate *gate, const struct gate_slot *slot)
{
    bool crowded;

    if (atomic_load_explicit(&gate->open, memory_order_relaxed) > gate->limits.connections / 2)
        return true;
    (void)pthread_mutex_lock(&gate->mutex);
    crowded = gate->peers[slot->peer].count > gate->limits.connections_per_peer / 2;
    (void)pthread_mutex_unlock(&gate->mutex);
    return crowded;
}

bool gate_hold(struct http_gate *gate, size_t units)
{
    const size_t held = atomic_fetch_add_explicit(&gate->held, units, memory_order_relaxed) + units;

    return held <= gate->limits.max_inflight / GATE_UNIT_BYTES;
}

void gate_release(struct http_gate *gate, size_t units)
{
    atomic_fetch_sub_explicit(&gate->held, units, memory_order_relaxed);
}
