/* safetensors.c: reading and writing the header of a safetensors file.
 *
 * Reading trusts nothing: every number is checked against the file before it is used, tensors must
 * tile the data without gaps or overlaps, and no name may stand twice. */
#include "safetensors.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "gan_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#if GAN_HAVE_CJSON
#include <cJSON.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian; this machine is not"
#endif

static const struct {
    const char *text;
    gan_dtype dtype;
} dtypes[] = {
    {"F32", GAN_F32}, {"F64", GAN_F64}, {"BF16", GAN_BF16}, {"I32", GAN_I32},
    {"I64", GAN_I64}, {"U8", GAN_U8},   {"BOOL", GAN_BOOL},
};

enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0], LENGTH_BYTES = 8, DATA_ALIGN = 64 };

/* Largest header anybody writes; the reference implementation has the same limit. */
static const uint64_t max_header = 100000000;

/* --- writing ------------------------------------------------------------------------------------ */

static void add_text(struct gan__str *s, const char *text)
{
    gan__str_add(s, "\"");
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            gan__str_printf(s, "\\%c", c);
        } else if (c < 0x20) {
            gan__str_printf(s, "\\u%04x", c);
        } else {
            gan__str_addn(s, p, 1);
        }
    }
    gan__str_add(s, "\"");
}

static void add_tensor(struct gan__str *s, const struct gan__st_tensor *t)
{
    const char *dtype = "F32";
    for (size_t i = 0; i < N_DTYPES; i++) {
        dtype = dtypes[i].dtype == t->dtype ? dtypes[i].text : dtype;
    }
    add_text(s, t->name);
    gan__str_printf(s, ":{\"dtype\":\"%s\",\"shape\":[", dtype);
    for (int64_t k = 0; k < t->shape.rank; k++) {
        gan__str_printf(s, "%s%" PRId64, k > 0 ? "," : "", t->shape.dim[k]);
    }
    gan__str_printf(s, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", t->begin, t->end);
}

char *gan__st_format(const struct gan__st_tensor *t, size_t n, const struct gan_meta *meta,
                     size_t n_meta, size_t *bytes)
{
    struct gan__str s = {0};
    gan__str_addn(&s, "########", LENGTH_BYTES); /* room for the length */
    gan__str_add(&s, "{\"__metadata__\":{");
    for (size_t i = 0; i < n_meta; i++) {
        gan__str_add(&s, i > 0 ? "," : "");
        add_text(&s, meta[i].key);
        gan__str_add(&s, ":");
        add_text(&s, meta[i].value);
    }
    gan__str_add(&s, "}");
    for (size_t i = 0; i < n; i++) {
        gan__str_add(&s, ",");
        add_tensor(&s, &t[i]);
    }
    gan__str_add(&s, "}");
    while (!s.bad && s.len % DATA_ALIGN != 0) {
        gan__str_add(&s, " ");
    }
    if (s.bad) {
        gan__str_release(&s);
        return NULL;
    }
    uint64_t length = s.len - LENGTH_BYTES;
    memcpy(s.p, &length, sizeof length);
    *bytes = s.len;
    return s.p;
}

/* --- reading ------------------------------------------------------------------------------------ */

#if GAN_HAVE_CJSON

struct reader {
    const char *path;
    struct gan__arena *arena;
    struct gan__st_header *out;
    uint64_t data_bytes;
    gan_err *err;
};

#define bad(r, ...) gan__fail((r)->err, GAN_E_FORMAT, __VA_ARGS__)

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct gan_meta *)a)->key, ((const struct gan_meta *)b)->key);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct gan__st_tensor *)a)->name,
                  ((const struct gan__st_tensor *)b)->name);
}

static int by_offset(const void *a, const void *b)
{
    const struct gan__st_tensor *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return x->end < y->end ? -1 : x->end > y->end;
}

/* A whole number that a double holds exactly. */
static bool whole(const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 0x1p53)) {
        return false;
    }
    *out = (uint64_t)item->valuedouble;
    return (double)*out >= item->valuedouble && (double)*out <= item->valuedouble;
}

static gan_status read_meta(const struct reader *r, const cJSON *object)
{
    if (!cJSON_IsObject(object)) {
        return bad(r, "%s: __metadata__ is not an object", r->path);
    }
    size_t n = (size_t)cJSON_GetArraySize(object);
    struct gan_meta *meta = gan__arena_array(r->arena, n + 1, sizeof *meta);
    if (meta == NULL) {
        return gan__fail_nomem(r->err, n * sizeof *meta, "the metadata of a checkpoint");
    }
    size_t k = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (!cJSON_IsString(item)) {
            return bad(r, "%s: metadata \"%.80s\" is not a text", r->path, item->string);
        }
        meta[k].key = gan__arena_strdup(r->arena, item->string);
        meta[k].value = gan__arena_strdup(r->arena, item->valuestring);
        if (meta[k].key == NULL || meta[k].value == NULL) {
            return gan__fail_nomem(r->err, strlen(item->string), "the metadata of a checkpoint");
        }
        k++;
    }
    qsort(meta, n, sizeof *meta, by_key);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(meta[i - 1].key, meta[i].key) == 0) {
            return bad(r, "%s: metadata \"%.80s\" stands twice", r->path, meta[i].key);
        }
    }
    r->out->meta = meta;
    r->out->n_meta = n;
    return GAN_OK;
}

static gan_status read_dtype(const struct reader *r, const cJSON *item, struct gan__st_tensor *t)
{
    if (!cJSON_IsString(item)) {
        return bad(r, "%s: tensor %.80s has no dtype", r->path, t->name);
    }
    for (size_t i = 0; i < N_DTYPES; i++) {
        if (strcmp(item->valuestring, dtypes[i].text) == 0) {
            t->dtype = dtypes[i].dtype;
            return GAN_OK;
        }
    }
    return gan__fail(r->err, GAN_E_UNSUPPORTED,
                     "%s: tensor %.80s has dtype \"%.16s\", known are F32 F64 BF16 I32 I64 U8 BOOL",
                     r->path, t->name, item->valuestring);
}

static gan_status read_shape(const struct reader *r, const cJSON *list, struct gan__st_tensor *t)
{
    if (!cJSON_IsArray(list)) {
        return bad(r, "%s: tensor %.80s has no shape", r->path, t->name);
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        uint64_t v;
        if (t->shape.rank == GAN_MAX_RANK) {
            return bad(r, "%s: tensor %.80s has %d axes, at most %d are known", r->path, t->name,
                       cJSON_GetArraySize(list), GAN_MAX_RANK);
        }
        if (!whole(item, &v)) {
            return bad(r, "%s: shape of tensor %.80s is not made of whole numbers", r->path,
                       t->name);
        }
        t->shape.dim[t->shape.rank++] = (int64_t)v;
    }
    return GAN_OK;
}

static gan_status read_offsets(const struct reader *r, const cJSON *list, struct gan__st_tensor *t)
{
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 2 ||
        !whole(cJSON_GetArrayItem(list, 0), &t->begin) ||
        !whole(cJSON_GetArrayItem(list, 1), &t->end)) {
        return bad(r, "%s: data_offsets of tensor %.80s are not two whole numbers", r->path,
                   t->name);
    }
    if (t->begin > t->end) {
        return bad(r, "%s: tensor %.80s begins at %" PRIu64 " and ends at %" PRIu64, r->path,
                   t->name, t->begin, t->end);
    }
    if (t->end > r->data_bytes) {
        return bad(r,
                   "%s: tensor %.80s ends at byte %" PRIu64 " of the data, the file has %" PRIu64
                   " (truncated?)",
                   r->path, t->name, t->end, r->data_bytes);
    }
    char text[96];
    int64_t count = gan_shape_count(&t->shape);
    size_t size = gan_dtype_size(t->dtype), bytes;
    if (count < 0 || !gan__mul((size_t)count, size, &bytes) || bytes != t->end - t->begin) {
        return bad(r, "%s: tensor %.80s %s %s does not take the %" PRIu64 " bytes it is given",
                   r->path, t->name, gan_dtype_name(t->dtype),
                   gan_shape_text(&t->shape, text, sizeof text), t->end - t->begin);
    }
    return GAN_OK;
}

static gan_status read_tensor(const struct reader *r, const cJSON *item, struct gan__st_tensor *t)
{
    t->name = gan__arena_strdup(r->arena, item->string);
    if (t->name == NULL) {
        return gan__fail_nomem(r->err, strlen(item->string), "the names of a checkpoint");
    }
    if (!cJSON_IsObject(item)) {
        return bad(r, "%s: tensor %.80s is not an object", r->path, t->name);
    }
    GAN_TRY(read_dtype(r, cJSON_GetObjectItemCaseSensitive(item, "dtype"), t));
    GAN_TRY(read_shape(r, cJSON_GetObjectItemCaseSensitive(item, "shape"), t));
    return read_offsets(r, cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), t);
}

/* Tensors tile the data: sorted by offset, each begins where the one before ends. */
static gan_status check_tiling(const struct reader *r, struct gan__st_tensor *t, size_t n)
{
    uint64_t end = 0;
    qsort(t, n, sizeof *t, by_offset);
    for (size_t i = 0; i < n; i++) {
        if (t[i].begin < end) {
            return bad(r, "%s: tensors %.80s and %.80s overlap", r->path, t[i - 1].name, t[i].name);
        }
        if (t[i].begin > end) {
            return bad(r, "%s: %" PRIu64 " bytes before tensor %.80s belong to no tensor", r->path,
                       t[i].begin - end, t[i].name);
        }
        end = t[i].end;
    }
    if (end != r->data_bytes) {
        return bad(r, "%s: %" PRIu64 " bytes after the last tensor", r->path, r->data_bytes - end);
    }
    qsort(t, n, sizeof *t, by_name);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(t[i - 1].name, t[i].name) == 0) {
            return bad(r, "%s: tensor %.80s stands twice", r->path, t[i].name);
        }
    }
    return GAN_OK;
}

static gan_status read_object(const struct reader *r, const cJSON *root)
{
    if (!cJSON_IsObject(root)) {
        return bad(r, "%s: the header is not a JSON object", r->path);
    }
    size_t n = (size_t)cJSON_GetArraySize(root), k = 0;
    struct gan__st_tensor *t = gan__arena_array(r->arena, n + 1, sizeof *t);
    if (t == NULL) {
        return gan__fail_nomem(r->err, n * sizeof *t, "the tensors of a checkpoint");
    }
    bool with_meta = false;
    const cJSON *item;
    cJSON_ArrayForEach(item, root)
    {
        if (strcmp(item->string, "__metadata__") != 0) {
            GAN_TRY(read_tensor(r, item, &t[k++]));
            continue;
        }
        if (with_meta) {
            return bad(r, "%s: __metadata__ stands twice", r->path);
        }
        with_meta = true;
        GAN_TRY(read_meta(r, item));
    }
    r->out->tensor = t;
    r->out->n_tensors = k;
    return check_tiling(r, t, k);
}

gan_status gan__st_read(const char *path, const unsigned char *file, uint64_t size,
                        struct gan__arena *a, struct gan__st_header *out, gan_err *err)
{
    uint64_t length;
    *out = (struct gan__st_header){0};
    if (size < LENGTH_BYTES) {
        return gan__fail(err, GAN_E_FORMAT, "%s: %" PRIu64 " bytes, no safetensors file", path,
                         size);
    }
    memcpy(&length, file, sizeof length);
    if (length > size - LENGTH_BYTES || length > max_header) {
        return gan__fail(err, GAN_E_FORMAT,
                         "%s: no safetensors file, or truncated: a header of %" PRIu64
                         " bytes in a file of %" PRIu64,
                         path, length, size);
    }
    const char *text = (const char *)file + LENGTH_BYTES, *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, (size_t)length, &end, 0);
    if (root == NULL) {
        return gan__fail(err, GAN_E_FORMAT, "%s: the header is not JSON", path);
    }
    gan_status status = GAN_OK;
    for (; end < text + length; end++) {
        if (*end != ' ' && *end != '\0') {
            status = gan__fail(err, GAN_E_FORMAT, "%s: text after the header's object", path);
            break;
        }
    }
    struct reader r = {path, a, out, size - LENGTH_BYTES - length, err};
    out->header_bytes = LENGTH_BYTES + length;
    if (status == GAN_OK) {
        status = read_object(&r, root);
    }
    cJSON_Delete(root);
    return status;
}

#else

gan_status gan__st_read(const char *path, const unsigned char *file, uint64_t size,
                        struct gan__arena *a, struct gan__st_header *out, gan_err *err)
{
    (void)file;
    (void)size;
    (void)a;
    *out = (struct gan__st_header){0};
    return gan__fail(err, GAN_E_UNSUPPORTED,
                     "%s: this build reads no checkpoints (-DGAN_CJSON=OFF)", path);
}

#endif
