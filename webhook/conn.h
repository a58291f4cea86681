/*
 * conn.h -- one accepted connection: who reads its bytes, what it holds, since when.
 *
 * A conn lives from accept until its socket is disposed of; the socket's on_close finds it. Once
 * a protocol is chosen, each of libh2o's read callbacks is wrapped: conn.c defines
 * h2o_socket_read_start in the executable, so that libh2o's own calls come here too. Own thread.
 */
#ifndef WEBHOOK_CONN_H
#define WEBHOOK_CONN_H

#include "webhook/loop.h"

enum conn_state { CONN_HANDSHAKE = 0, CONN_HTTP1, CONN_HTTP2 };

struct conn {
    h2o_linklist_t link; /* in the loop's conns */
    struct http_loop *loop;
    h2o_socket_t *sock;
    enum conn_state state;
    struct gate_slot slot;
    SSL_CTX *handshake_tls; /* a reference, until the handshake is over */

    h2o_socket_cb inner; /* libh2o's read callback, behind ours */
    bool *gone;          /* set to true when the conn is freed while a callback runs */
    bool cut;            /* ended by us: nothing more is read */

    struct guard *guard; /* HTTP/2 only */
    size_t looked_at;    /* bytes at the front of the input that the guard has passed … */
    size_t pending;      /* … and those behind, the beginning of a frame header */
    size_t held_units;   /* of request memory, counted at the gate */

    h2o_linklist_t running; /* struct exchange: not answered yet, the oldest first … */
    h2o_linklist_t replied; /* … and answered, but not over: in the order of the answers */
    uint64_t requests;
    uint64_t unanswered_bytes; /* read since the last answer */
    int64_t opened;            /* times in milliseconds */
    int64_t ready;             /* when the handshake was over */
    int64_t active;            /* when the last answer was sent, or the handshake over */
    int64_t begun;             /* HTTP/1.1: the first byte of a request that is not complete; 0 */
    int64_t writing;           /* since when a write makes no progress; 0 */
    size_t writing_at;
    int64_t farewell; /* HTTP/2: when the GOAWAY of a drain was sent; 0 */
};

/* A request that the application has seen, until it is over. */
struct exchange {
    h2o_linklist_t link;
    h2o_req_t *req;
    uint64_t body;
    int64_t replied; /* when */
};

/* Fails if the program was linked so that libh2o would not call our h2o_socket_read_start. */
MUST_USE bool conn_hook_works(struct err *err);

/* How often h2o_socket_read_start was called in this thread. */
uint64_t conn_hook_calls(void);

/* A connection whose handshake begins, or that needs none. Takes the slot. */
struct conn *conn_new(struct http_loop *loop, h2o_socket_t *sock, const struct gate_slot *slot);

/* Gives the connection to libh2o: its callbacks are ours from here on. May free the conn. */
void conn_begin(struct conn *conn, enum conn_state state);

/* Ends it at once and without manners; counts the reason. May free the conn. */
void conn_cut(struct conn *conn, enum http_count reason);

/* Ends it as libh2o ends a connection that is over; counts the reason. May free the conn. */
void conn_close(struct conn *conn, enum http_count reason);

/* Whether our callback is the one that reads, or nobody reads. */
bool conn_is_ours(const struct conn *conn);

/*
 * Whether libh2o has stopped reading from it for the answers that it does not take: 512 KiB, more
 * than any decent client leaves.
 */
bool conn_has_backlog(const struct conn *conn);

/* Whether no request is with the application or on its way out. */
static inline bool conn_has_no_request(struct conn *conn)
{
    return h2o_linklist_is_empty(&conn->running) && h2o_linklist_is_empty(&conn->replied);
}

/* The connection that a request came on. */
struct conn *conn_of(h2o_req_t *req);

/* The request is complete and goes to the application. */
void conn_request(struct conn *conn, h2o_req_t *req);

/* The request is being answered. */
void conn_replied(h2o_req_t *req);

/* The request is over: answered, or its client went. Also those that the application never saw. */
void conn_over(h2o_req_t *req);

#endif
