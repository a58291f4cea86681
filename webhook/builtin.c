#include "webhook/builtin.h"

#include <stddef.h>

#include "webhook/config.h"

#include "base/banned.h"

/* Made from policy/default.yaml by cmake/embed.cmake. */
extern const unsigned char policy_default[];
extern const size_t policy_default_size;

bool builtin_policy(json_t **out, struct err *err)
{
    return config_read_policy("policy/default.yaml (built in)", policy_default, policy_default_size,
                              out, err);
}
