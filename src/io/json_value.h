/* Reading JSON values strictly, with errors that name the place in the document.
 *
 * Jansson parses; these functions turn its messages into ours and check types and ranges. A place is a chain of
 * links on the stack, so that naming it costs nothing until something is wrong. */
#ifndef MOC_IO_JSON_VALUE_H
#define MOC_IO_JSON_VALUE_H

#include "base/base.h"

#include <jansson.h>

/* --- Places --- */

/* A value's place in the document: a member or an item of its parent. */
typedef struct moc__place {
  const struct moc__place *parent; /* NULL: the document itself */
  const char *key;                 /* NULL: an item of an array */
  size_t index;
} moc__place;

static inline moc__place moc__member(const moc__place *parent, const char *key) {
  return (moc__place){parent, key, 0};
}
static inline moc__place moc__item(const moc__place *parent, size_t index) {
  return (moc__place){parent, NULL, index};
}

/* What the functions below report to, and with which status they refuse a value. */
typedef struct moc__reader {
  moc_error *error; /* may be NULL */
  moc_status invalid;
} moc__reader;

/* moc__fail at a place; NULL: the document itself. */
moc_status moc__fail_at(const moc__reader *reader, moc_status status, const moc__place *place, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));
/* Set the place of an error already filled. */
void moc__set_place(const moc__reader *reader, const moc__place *place);

/* --- Words for messages --- */

/* A string for people: in quotes, control characters escaped, cut when long. */
typedef struct moc__quoted {
  char text[80];
} moc__quoted;
moc__quoted moc__quote(const char *text);
/* A value for people: "the string "abc"", "-3", "an array", ... */
moc__quoted moc__describe(const json_t *value);
/* The same for an id, spelt as in the file: "abc" in quotes, or 3. */
moc__quoted moc__describe_id(const json_t *value);
/* The nearest of `names` (NULL-terminated) to a misspelt one, or NULL when none is near. */
const char *moc__nearest(const char *name, const char *const *names);

/* --- Parsing --- */

/* Parse `text` as one JSON object or array. `what` is the document expected, for messages: "graph". PARSE with line
 * and column; OVERFLOW for a number beyond 64 bits; OUT_OF_MEMORY. The caller gives *root to json_decref. */
moc_status moc__json_parse(const char *text, size_t length, const char *what, json_t **root, moc_error *error);

/* --- Values --- */

/* Each checks a value (NULL: missing) and hands it over, or fails at its place. `what` is what it stands for. */
moc_status moc__read_natural(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what, int64_t *number); /* from 0 to MOC_MAX_TOTAL */
moc_status moc__read_seconds(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what, double *seconds);
moc_status moc__read_bool(const moc__reader *reader, const moc__place *place, const json_t *value, const char *what,
                          bool *truth);
moc_status moc__read_string(const moc__reader *reader, const moc__place *place, const json_t *value,
                            const char *what, const char **text);
moc_status moc__check_array(const moc__reader *reader, const moc__place *place, const json_t *value,
                            const char *what);
moc_status moc__check_object(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what);
/* An id: an integer or a string that is not empty. */
moc_status moc__check_id(const moc__reader *reader, const moc__place *place, const json_t *value, const char *what);
/* All members are among `names` (NULL-terminated). */
moc_status moc__check_members(const moc__reader *reader, const moc__place *place, const json_t *object,
                              const char *what, const char *const *names);

/* An id as the builder takes it; `digits` holds the text of a number. */
typedef struct moc__id_text {
  const char *text;
  bool is_integer;
  char digits[24];
} moc__id_text;
/* Fill *id, which must not move afterwards. `value` has passed moc__check_id. */
void moc__id_text_of(const json_t *value, moc__id_text *id);

#endif
