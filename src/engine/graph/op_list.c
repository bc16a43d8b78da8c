/* op_list.c: the table of operations as users see it. */
#include <gan/graph.h>

#include "op.h"

static const struct gan__op *visible(int i)
{
    for (const struct gan__op *const *p = gan__ops; i >= 0 && *p != NULL; p++) {
        if (((*p)->flags & GAN_OP_INTERNAL) != 0) {
            continue;
        }
        if (i == 0) {
            return *p;
        }
        i--;
    }
    return NULL;
}

const char *gan_op_name(int i)
{
    const struct gan__op *op = visible(i);
    return op != NULL ? op->name : NULL;
}

const char *gan_op_doc(int i)
{
    const struct gan__op *op = visible(i);
    return op != NULL && op->doc != NULL ? op->doc : NULL;
}
