/*
 * banned.h -- include last in every .c file: calls that are unsafe, depend on the locale or hide
 * failure become build errors.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atof gmtime localtime ctime asctime mktemp setlocale

#endif
