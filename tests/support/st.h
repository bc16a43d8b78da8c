/* st.h: golden files of tests/golden/data for tests: safetensors with F64 and I64 tensors. Whatever is
 * wrong with a file fails the test that opens it. */
#ifndef TESTS_SUPPORT_ST_H
#define TESTS_SUPPORT_ST_H

#include <gan/tensor.h>

struct st;

/* Opens tests/golden/data/NAME.safetensors. Free with st_close. */
struct st *st_open(const char *name);
void st_close(struct st *f);

bool st_has(const struct st *f, const char *name);
/* The tensor NAME: f64 or i64, a view into the file; fails the test when there is none. */
gan_tensor st_tensor(const struct st *f, const char *name);
/* The same with a name in printf's form. */
gan_tensor st_get(const struct st *f, const char *fmt, ...) GAN_PRINTF(2, 3);
int st_count(const struct st *f);
const char *st_name(const struct st *f, int i); /* tensor names in the order of the file */

/* Fails the test unless shapes agree and |got - want| <= tolerance (1 + |want|) everywhere. */
void st_close_to(const char *what, const gan_tensor *got, const gan_tensor *want, double tolerance);

#endif
