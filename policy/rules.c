#include "policy/rules.h"

#include "base/banned.h"

void rules_id(struct digest *out)
{
    digest_of(BYTES("meshnorm/1 revision 2: N1-N25, N27 of docs/normal-form.md"), out);
}
