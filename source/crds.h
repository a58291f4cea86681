/*
 * crds.h -- the schemas that a build uses: CustomResourceDefinitions from folders and repositories.
 * The first definition of a kind wins.
 */
#ifndef SOURCE_CRDS_H
#define SOURCE_CRDS_H

#include "policy/policy.h"
#include "policy/schema.h"
#include "source/repo.h"

enum { CRDS_MAX = 10000, CRDS_MAX_FILE_BYTES = 4 << 20 };

struct crds;

RETURNS_NONNULL struct crds *crds_new(void);
void crds_free(struct crds *c); /* NULL is fine */

/*
 * Every CustomResourceDefinition in the *.yaml, *.yml and *.json files of a folder (not below it),
 * in name order; other documents are passed over. One of a group that the policy governs must
 * compile.
 */
MUST_USE bool crds_add_folder(struct crds *c, const char *folder, const struct policy *policy,
                              struct err *err);

/* The same from files of a commit. */
MUST_USE bool crds_add_repo(struct crds *c, struct repo *repo, const char *commit, const char *path,
                            const struct policy *policy, struct err *err);

/* The schema of a kind, or NULL. */
const struct schema *crds_find(const struct crds *c, struct bytes group, struct bytes kind);

size_t crds_count(const struct crds *c);
const struct schema *crds_at(const struct crds *c, size_t i); /* in (group, kind) order */

#endif
