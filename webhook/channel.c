#include "webhook/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/banned.h"

bool channel_pair(int ends[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_errno(err, "cannot make a socket pair");
    return true;
}

bool channel_send(int fd, const char *word, struct bytes text)
{
    struct buf message CLEANUP(buf_release) = {0};
    ssize_t n;

    buf_append_str(&message, word);
    if (text.len > 0) {
        buf_byte(&message, ' ');
        buf_append(&message, text);
    }
    if (message.len > CHANNEL_MAX_MESSAGE)
        message.len = CHANNEL_MAX_MESSAGE;
    do {
        n = send(fd, message.ptr, message.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)message.len;
}

enum channel_state channel_receive(int fd, char *buffer, const char **word, const char **text)
{
    ssize_t n;

    do {
        n = recv(fd, buffer, CHANNEL_MAX_MESSAGE, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return CHANNEL_NOTHING;
    if (n <= 0)
        return CHANNEL_CLOSED;
    buffer[n] = '\0';
    char *space = strchr(buffer, ' ');

    *word = buffer;
    *text = "";
    if (space != NULL) {
        *space = '\0';
        *text = space + 1;
    }
    return CHANNEL_MESSAGE;
}
