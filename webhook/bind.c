#include "webhook/bind.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#include "base/banned.h"

enum { BACKLOG = 1024 };

static bool listen_on(const struct addrinfo *info, int *out)
{
    const int one = 1;
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        (void)close(fd);
        return false;
    }
    *out = fd;
    return true;
}

bool bind_listen(const char *address, const char *what, int *out, struct err *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(address, ':');
    struct addrinfo *found = NULL;

    if (colon == NULL || colon[1] == '\0')
        return err_set(err, "%s: \"%s\" is not HOST:PORT", what, address);
    const bool bracketed = address[0] == '[' && colon > address && colon[-1] == ']';
    const char *start = bracketed ? address + 1 : address;
    CLEANUP(freep) char *host = xstrndup(start, (size_t)(colon - start) - bracketed);
    const int failed = getaddrinfo(host[0] == '\0' ? NULL : host, colon + 1, &hints, &found);

    if (failed != 0)
        return err_set(err, "%s: %s: %s", what, address, gai_strerror(failed));
    const bool ok = listen_on(found, out);

    if (!ok)
        (void)err_errno(err, "%s: cannot listen on %s", what, address);
    freeaddrinfo(found);
    return ok;
}
