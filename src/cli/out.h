/* out.h: what the program writes: data on stdout, words for people on stderr, JSON. */
#ifndef GAN_CLI_OUT_H
#define GAN_CLI_OUT_H

#include <gan/option.h>
#include <gan/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line on stderr, "gan: " in front. */
void gan__say(const char *fmt, ...) GAN_PRINTF(1, 2);

/* True when stderr is a terminal that understands control sequences. */
bool gan__err_is_terminal(void);

/* A heading on stdout: bold on a terminal unless NO_COLOR is set. */
void gan__out_heading(const char *text);

/* Whether text is wrapped to 79 columns, as it is at first; lists for programs are not. */
void gan__out_wrap(bool wrap);

/* Prints a paragraph on stdout, `indent` blanks in front. */
void gan__out_paragraph(int indent, const char *text);

/* Name and explanation in two columns; the second is wrapped. */
void gan__out_entry(int width, const char *name, const char *text);

/* Options with values, defaults and ranges. */
void gan__out_options(const struct gan_opt *table);

/* "3576704" as "3 576 704". */
const char *gan__text_count(char *dst, size_t cap, int64_t n);
/* "1.25 GiB". */
const char *gan__text_bytes(char *dst, size_t cap, uint64_t bytes);
/* "1h 02m 03s". */
const char *gan__text_time(char *dst, size_t cap, double seconds);

/* JSON on stdout, one member per line. key is NULL inside arrays. */
struct gan__json {
    int depth;
    bool first; /* nothing stands yet in the open object or array */
};
void gan__json_open(struct gan__json *j, const char *key, char bracket);      /* '{' or '[' */
void gan__json_close(struct gan__json *j, char bracket);                      /* '}' or ']' */
void gan__json_text(struct gan__json *j, const char *key, const char *value); /* NULL: null */
void gan__json_i64(struct gan__json *j, const char *key, int64_t value);
void gan__json_f64(struct gan__json *j, const char *key, double value); /* not finite: null */
void gan__json_bool(struct gan__json *j, const char *key, bool value);

#endif
