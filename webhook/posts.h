/*
 * posts.h -- what other threads ask a loop to do.
 *
 * A list and an eventfd. libh2o's own queue would do, but it is made by the thread that makes the
 * context, and posts may come before that.
 */
#ifndef WEBHOOK_POSTS_H
#define WEBHOOK_POSTS_H

#include <pthread.h>

#include "base/attr.h"
#include "base/err.h"
#include "webhook/h2o.h"

struct http_loop;

typedef void posts_fn(struct http_loop *loop, void *arg);

struct posts {
    struct http_loop *loop;
    int fd;                /* the eventfd; -1 until posts_init */
    h2o_socket_t *sock;    /* the loop's side of it */
    pthread_mutex_t mutex; /* for the two below */
    struct post *first;
    struct post **last;
};

MUST_USE bool posts_init(struct posts *p, struct http_loop *loop, struct err *err);

/* Runs what is left. Also after posts_init failed, or was never called on a zeroed struct. */
void posts_release(struct posts *p);

/* Any thread. */
void posts_add(struct posts *p, posts_fn *fn, void *arg);

/* Own thread: what is posted is run from here on, or no longer. */
void posts_listen(struct posts *p, h2o_loop_t *h2o);
void posts_ignore(struct posts *p);

#endif
