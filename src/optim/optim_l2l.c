/* optim_l2l.c: a trained network as update rule: p += scale update(g, state).
 *
 * Its weights are the store's "opt.*", which `gan train l2l` makes and --init opt=RUN brings; they
 * are read and never written. The state of a coordinate is the 80 numbers of the two LSTM.
 * Ref: Andrychowicz et al. 2016, arXiv:1606.04474. */
#include "engine/graph/node.h"
#include "learned.h"
#include "rules.h"

static int slots(const double *arg, const char *const **names)
{
    static const char *const lstm[] = {"lstm"};
    (void)arg;
    *names = lstm;
    return 1;
}

static void update(struct gan__rule_call *c)
{
    gan_graph *g = c->g;
    gan_err err = {0};
    struct gan_net_desc desc = gan__learned_desc();
    desc.real = gan_graph_real(g);
    gan_net *net = gan_net_new(g->store, &desc, &err);
    if (net == NULL) {
        gan_graph_fail(g, err.code, "%s", err.message);
        return;
    }
    gan_shape shape = gan_shape_get(g, c->p);
    gan_val in[] = {gan_reshape(g, c->grad, GAN_SHAPE(gan_shape_count(&shape), 1)), c->slot[0]};
    gan_val out[GAN_NET_MAX_OUT] = {{0, 0}};
    gan_net_apply(g, net, NULL, GAN_EVAL, in, out);
    c->p = gan_add(g, c->p, gan_mul(g, c->scalar[0], gan_reshape(g, out[0], shape)));
    c->slot[0] = out[1];
    gan_net_free(net);
}

GAN_OPTIM(l2l) = {
    .name = "l2l",
    .doc = "learned by gan train l2l, weights from --init opt=RUN: l2l:SCALE",
    .ref = "Andrychowicz et al. 2016, arXiv:1606.04474",
    .args = {{"scale", 1, 0, 1e3}, {0}},
    .scalars = {"lr"},
    .values = gan__rule_lr,
    .slots = slots,
    .width = GAN__LEARNED_STATE,
    .network = GAN__LEARNED_NAME,
    .update = update,
};
