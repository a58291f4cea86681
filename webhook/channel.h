/*
 * channel.h -- messages between supervisor and roles: a socket pair that keeps message boundaries.
 * A message is a word and text behind it: "published", "status {json}", "drain".
 */
#ifndef WEBHOOK_CHANNEL_H
#define WEBHOOK_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"

enum { CHANNEL_MAX_MESSAGE = 16 * 1024 };

/* Both ends are close-on-exec. */
MUST_USE bool channel_pair(int ends[2], struct err *err);

/* Sends one message; one that is too long is cut. False if the other end is gone or does not read.
 */
bool channel_send(int fd, const char *word, struct bytes text);

enum channel_state { CHANNEL_MESSAGE, CHANNEL_NOTHING, CHANNEL_CLOSED };

/*
 * The next message, without waiting: *word is a C string in `buffer` (CHANNEL_MAX_MESSAGE + 1
 * bytes), *text what follows it.
 */
enum channel_state channel_receive(int fd, char *buffer, const char **word, const char **text);

#endif
