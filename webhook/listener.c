#include "webhook/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "webhook/conn.h"

#include "base/banned.h"

enum {
    ACCEPTS_PER_TURN = 16,
    /*
     * Kernel buffers of a connection, twice these: what a client can make us read before the guard
     * sees it, and what one that reads nothing can make the kernel keep. Inherited on accept.
     */
    RECEIVE_BYTES = 192 << 10,
    SEND_BYTES = 64 << 10,
    USER_TIMEOUT_MILLIS = 20000, /* a peer that is gone without a word */
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool out_of_something(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/*
 * Out of descriptors: refuses one connection by means of the spare one, since a backlog that is
 * never taken keeps clients waiting for their whole timeout, and us spinning.
 */
static void shed(struct http_loop *loop, int fd)
{
    int refused;
    bool in_vain;

    (void)close(loop->spare_fd);
    refused = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    in_vain = refused < 0 && out_of_something(errno);
    if (refused >= 0) {
        (void)close(refused);
        loop_count(loop, HTTP_REFUSED_FD);
    }
    loop->spare_fd = open_spare();
    if (in_vain || loop->spare_fd < 0)
        listener_pause(loop); /* the sweep tries again */
}

static void on_handshake(h2o_socket_t *sock, const char *err)
{
    struct conn *const conn = sock->on_close.data;
    h2o_iovec_t protocol;

    SSL_CTX_free(conn->handshake_tls);
    conn->handshake_tls = NULL;
    if (err != NULL) {
        loop_count(conn->loop, HTTP_HANDSHAKE_FAILED);
        h2o_socket_close(sock);
        return;
    }
    protocol = h2o_socket_ssl_get_selected_protocol(sock);
    conn_begin(conn,
               h2o_memis(protocol.base, protocol.len, H2O_STRLIT("h2")) ? CONN_HTTP2 : CONN_HTTP1);
}

static void take(struct http_loop *loop, int fd, const struct sockaddr_storage *from)
{
    struct gate_slot slot;
    enum http_count refused;

    if (!gate_enter(loop->gate, from, &slot, &refused)) {
        (void)close(fd);
        loop_count(loop, refused);
        return;
    }
    loop_count(loop, HTTP_ACCEPTED);

    h2o_socket_t *const sock =
        h2o_evloop_socket_create(loop->h2o, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    struct conn *const conn = conn_new(loop, sock, &slot);

    if (loop->tls == NULL) {
        conn_begin(conn, CONN_HTTP1);
        return;
    }
    /* libh2o keeps the bare pointer until the first bytes come; a reload must not free it. */
    (void)SSL_CTX_up_ref(loop->tls);
    conn->handshake_tls = loop->tls;
    h2o_socket_ssl_handshake(sock, loop->tls, NULL, on_handshake);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct http_loop *const loop = listener->data;
    const int listen_fd = h2o_socket_get_fd(listener);

    (void)err;
    for (int i = 0; i < ACCEPTS_PER_TURN && loop->listening; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof(from);
        const int fd =
            accept4(listen_fd, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            take(loop, fd, &from);
        else if (out_of_something(errno))
            shed(loop, listen_fd);
        else if (errno == EAGAIN)
            break; /* any other error is that of one connection */
    }
}

void listener_pause(struct http_loop *loop)
{
    if (!loop->listening)
        return;
    loop->listening = false;
    h2o_socket_read_stop(loop->listener);
}

void listener_resume(struct http_loop *loop)
{
    if (loop->spare_fd < 0)
        loop->spare_fd = open_spare();
    if (loop->listening || loop->spare_fd < 0)
        return;
    loop->listening = true;
    h2o_socket_read_start(loop->listener, on_accept);
}

/* What accepted sockets inherit; a socket that is not TCP goes without. */
static void set_socket_options(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MILLIS},
        {SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES},
        {SOL_SOCKET, SO_SNDBUF, SEND_BYTES},
    };

    for (size_t i = 0; i < COUNT(options); i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
}

bool listener_open(struct http_loop *loop, struct err *err)
{
    loop->spare_fd = open_spare();
    if (loop->spare_fd < 0)
        return err_errno(err, "cannot open /dev/null");
    set_socket_options(loop->listen_fd);
    loop->listener =
        h2o_evloop_socket_create(loop->h2o, loop->listen_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->listener->data = loop;
    loop->listen_fd = -1;
    listener_resume(loop);
    return true;
}

void listener_close(struct http_loop *loop)
{
    if (loop->listener != NULL)
        h2o_socket_close(loop->listener);
    loop->listener = NULL;
    loop->listening = false;
    if (loop->spare_fd >= 0)
        (void)close(loop->spare_fd);
    loop->spare_fd = -1;
}
