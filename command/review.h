/*
 * review.h -- meshwrit review: decide AdmissionReviews offline, with a set.
 */
#ifndef COMMAND_REVIEW_H
#define COMMAND_REVIEW_H

int review_main(int argc, char **argv);

#endif
