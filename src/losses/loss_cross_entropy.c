/* loss_cross_entropy.c: binary cross-entropy of logits and of probabilities, categorical
 * cross-entropy.
 *
 * On logits s: -log sigma(s) = softplus(-s), -log(1 - sigma(s)) = softplus(s). The shorter
 * softplus(s) - t s would cancel for large s. */
#include "losses.h"

/* Least argument of a logarithm: bounds the loss of one element by 27.6 and keeps f32 finite. */
static const double least_probability = 1e-12;

gan_val gan_loss_bce_logits(gan_graph *g, gan_val logits, double target)
{
    if (!(target >= 0 && target <= 1)) {
        return gan_graph_fail(g, GAN_E_RANGE, "cross-entropy: label %g, allowed 0 to 1", target);
    }
    gan_val on = target > 0 ? gan_scale(g, gan_softplus(g, gan_neg(g, logits)), target) : GAN_NONE;
    gan_val off = target < 1 ? gan_scale(g, gan_softplus(g, logits), 1 - target) : GAN_NONE;
    gan_val sum = target <= 0 ? off : target >= 1 ? on : gan_add(g, on, off);
    return gan_mean_all(g, sum);
}

/* t a + (1 - t) b */
static gan_val mix(gan_graph *g, gan_val t, gan_val a, gan_val b)
{
    gan_val rest = gan_shift(g, gan_neg(g, t), 1);
    return gan_add(g, gan_mul(g, t, a), gan_mul(g, rest, b));
}

gan_val gan_loss_bce_logits_to(gan_graph *g, gan_val logits, gan_val target)
{
    gan_val on = gan_softplus(g, gan_neg(g, logits)), off = gan_softplus(g, logits);
    return gan_mean_all(g, mix(g, target, on, off));
}

gan_val gan_loss_bce(gan_graph *g, gan_val p, gan_val target)
{
    gan_val on = gan_log(g, gan_clamp(g, p, least_probability, 1));
    gan_val rest = gan_shift(g, gan_neg(g, p), 1);
    gan_val off = gan_log(g, gan_clamp(g, rest, least_probability, 1));
    return gan_neg(g, gan_mean_all(g, mix(g, target, on, off)));
}

gan_val gan_loss_cross_entropy(gan_graph *g, gan_val logits, gan_val labels)
{
    gan_shape s = gan_shape_get(g, logits), t = gan_shape_get(g, labels);
    char a[96], b[96];
    if (!gan_ok(logits) || !gan_ok(labels)) {
        return GAN_NONE;
    }
    if (s.rank != 2 || t.rank != 1 || s.dim[0] != t.dim[0]) {
        return gan_graph_fail(g, GAN_E_SHAPE,
                              "cross-entropy: logits %s and labels %s, expected [N,Y] and [N]",
                              gan_shape_text(&s, a, sizeof a), gan_shape_text(&t, b, sizeof b));
    }
    gan_val picked = gan_mul(g, gan_one_hot(g, labels, s.dim[1]), gan_log_softmax(g, logits));
    return gan_scale(g, gan_sum_all(g, picked), -1 / (double)s.dim[0]);
}
