#include "policy/forbidden.h"

#include "policy/pattern.h"

#include "base/banned.h"

static const char run_time[] = "it is written at run time by the cluster itself";
static const char whole_group[] =
    "the group has kinds that the cluster writes at run time; name the kinds";

/* Patterns. */
static const struct {
    const char *group;
    const char *kind;
} table[] = {
    {"", "Pod"},
    {"", "Node"},
    {"", "Event"},
    {"", "Endpoints"},
    {"", "Binding"},
    {"coordination.k8s.io", "Lease"},
    {"discovery.k8s.io", "EndpointSlice"},
    {"events.k8s.io", "Event"},
    {"cilium.io", "CiliumEndpoint"},
    {"cilium.io", "CiliumEndpointSlice"},
    {"cilium.io", "CiliumIdentity"},
    {"cilium.io", "CiliumNode"},
    {"cilium.io", "CiliumNodeConfig"},
    {"cilium.io", "CiliumPodIPPool"},
    {"cilium.io", "CiliumBGPNodeConfig"},
    {"kuma.io", "Dataplane"},
    {"kuma.io", "Zone*"},
    {"kuma.io", "*Insight"},
};

const char *forbidden_kind(struct bytes group, struct bytes kind)
{
    const bool all = bytes_equal(kind, BYTES("*"));

    if (bytes_contains(group, BYTES("*")))
        return "groups are whole names";
    for (size_t i = 0; i < COUNT(table); i++) {
        if (!bytes_equal(group, bytes_str(table[i].group)))
            continue;
        if (all)
            return whole_group;
        if (pattern_match(bytes_str(table[i].kind), kind))
            return run_time;
    }
    return NULL;
}
