/*
 * certs.h -- `meshwrit certs`: issue, look at and renew the certificates of the webhook.
 */
#ifndef COMMAND_CERTS_H
#define COMMAND_CERTS_H

/* argv[0] is "certs". Exit code: 0; 1 `show` found one expired; 2 could not be done, or usage. */
int certs_main(int argc, char **argv);

#endif
