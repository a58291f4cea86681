#include "command/serve.h"

#include <getopt.h>

#include "command/command.h"
#include "webhook/supervisor.h"

#include "base/banned.h"

int serve_main(int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    const char *file = "/etc/meshwrit/config.yaml";
    struct config *config = NULL;
    struct err err = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option != 'c')
            return command_usage("serve", "[--config FILE]");
        file = optarg;
    }
    if (optind != argc)
        return command_usage("serve", "[--config FILE]");
    if (!config_read(file, &config, &err))
        return command_fail("serve", &err);
    const int code = supervisor_run(config);

    config_free(config);
    return code;
}
