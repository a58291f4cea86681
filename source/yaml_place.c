#include "source/yaml_place.h"

#include <limits.h>

#include "base/banned.h"

/* Digits and a colon; 0: that is not there. */
static unsigned take_number(const char **at)
{
    const char *p = *at;
    unsigned number = 0;

    for (; *p >= '0' && *p <= '9' && number < UINT_MAX / 10 - 1; p++)
        number = 10 * number + (unsigned)(*p - '0');
    if (*p != ':')
        return 0;
    *at = p + 1;
    return number;
}

struct yaml_place yaml_take_place(struct err *err)
{
    const char *at = err->message;
    struct yaml_place place = {.line = take_number(&at)};

    if (place.line > 0)
        place.column = take_number(&at);
    if (place.column == 0 || *at != ' ')
        return (struct yaml_place){0};
    memmove(err->message, at + 1, strlen(at + 1) + 1);
    return place;
}

unsigned yaml_rule_of(const char *message)
{
    static const struct {
        const char *words;
        unsigned rule;
    } table[] = {
        {"UTF-8", 2},
        {"UTF-16", 2},
        {"NUL is not allowed", 2},
        {"control characters", 2},
        {"byte order mark", 2},
        {"line separators U+0085", 2},
        {"carriage return", 2},
        {"a line that begins with ", 3},
        {"that a document begins here", 3},
        {"that this line separates documents", 3},
        {"%YAML", 3},
        {"%TAG", 3},
        {"more than", 4},
        {"longer than", 4},
        {"deeper than", 4},
        {"too many", 4},
        {"tools change its digits", 8},
        {"too large to be exact", 8},
    };

    /* What is quoted from the file says nothing; only a number is quoted before the words. */
    const struct bytes all = bytes_str(message);
    const struct bytes own = bytes_of(message, strcspn(message, "\""));

    for (size_t i = 0; i < COUNT(table); i++) {
        if (bytes_contains(table[i].rule == 8 ? all : own, bytes_str(table[i].words)))
            return table[i].rule;
    }
    return 5;
}
