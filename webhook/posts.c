#include "webhook/posts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

#include "base/banned.h"

struct post {
    struct post *next;
    posts_fn *fn;
    void *arg;
};

bool posts_init(struct posts *p, struct http_loop *loop, struct err *err)
{
    p->loop = loop;
    p->last = &p->first;
    p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->fd < 0)
        return err_errno(err, "cannot make an eventfd");
    (void)pthread_mutex_init(&p->mutex, NULL);
    return true;
}

static struct post *take_all(struct posts *p)
{
    struct post *all;

    (void)pthread_mutex_lock(&p->mutex);
    all = p->first;
    p->first = NULL;
    p->last = &p->first;
    (void)pthread_mutex_unlock(&p->mutex);
    return all;
}

static void run_all(struct posts *p)
{
    for (struct post *post = take_all(p), *next; post != NULL; post = next) {
        next = post->next;
        post->fn(p->loop, post->arg);
        free(post);
    }
}

void posts_release(struct posts *p)
{
    if (p->loop == NULL || p->fd < 0)
        return;
    run_all(p);
    (void)pthread_mutex_destroy(&p->mutex);
    (void)close(p->fd);
    p->fd = -1;
}

void posts_add(struct posts *p, posts_fn *fn, void *arg)
{
    struct post *post = xmalloc(sizeof(*post));

    *post = (struct post){.fn = fn, .arg = arg};
    (void)pthread_mutex_lock(&p->mutex);
    *p->last = post;
    p->last = &post->next;
    (void)pthread_mutex_unlock(&p->mutex);
    /* It can only fail when it is readable already. */
    (void)eventfd_write(p->fd, 1);
}

static void on_readable(h2o_socket_t *sock, const char *err)
{
    struct posts *const p = sock->data;
    eventfd_t count;

    (void)err;
    (void)eventfd_read(p->fd, &count);
    run_all(p);
}

void posts_listen(struct posts *p, h2o_loop_t *h2o)
{
    /* libh2o closes what it is given. */
    p->sock =
        h2o_evloop_socket_create(h2o, fcntl(p->fd, F_DUPFD_CLOEXEC, 0), H2O_SOCKET_FLAG_DONT_READ);
    p->sock->data = p;
    h2o_socket_read_start(p->sock, on_readable);
}

void posts_ignore(struct posts *p)
{
    if (p->sock != NULL)
        h2o_socket_close(p->sock);
    p->sock = NULL;
}
