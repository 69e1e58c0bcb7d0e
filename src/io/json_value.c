/* Strict JSON values and errors with places; see json_value.h. */
#include "io/json_value.h"

#include <inttypes.h>
#include <stdio.h>

/* --- Places --- */

/* A member that reads well behind a dot. */
static bool is_plain_key(const char *key) {
  if (*key == '\0' || (*key >= '0' && *key <= '9')) return false;
  for (; *key != '\0'; key++) {
    bool letter = (*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z');
    if (!letter && !(*key >= '0' && *key <= '9') && *key != '_' && *key != '-') return false;
  }
  return true;
}

/* Print a place to the end of `text` [size]; returns the length. Places are a few levels deep. */
static size_t print_place(const moc__place *place, char *text, size_t size) {
  if (place == NULL) {
    text[0] = '\0';
    return 0;
  }
  size_t length = print_place(place->parent, text, size);
  int added;
  if (place->key == NULL) {
    added = snprintf(text + length, size - length, "[%zu]", place->index);
  } else if (is_plain_key(place->key)) {
    added = snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ".", place->key);
  } else {
    moc__quoted key = moc__quote(place->key);
    added = snprintf(text + length, size - length, "[%s]", key.text);
  }
  if (added < 0) return length;
  return (size_t)added < size - length ? length + (size_t)added : size - 1;
}

moc_status moc__fail_at(const moc__reader *reader, moc_status status, const moc__place *place, const char *format,
                        ...) {
  if (reader->error == NULL) return status;
  char text[sizeof reader->error->place * 2];
  char message[sizeof reader->error->message * 2];
  print_place(place, text, sizeof text);
  va_list arguments;
  va_start(arguments, format);
  if (vsnprintf(message, sizeof message, format, arguments) < 0) message[0] = '\0';
  va_end(arguments);
  return moc__fail(reader->error, status, text, "%s", message);
}

void moc__set_place(const moc__reader *reader, const moc__place *place) {
  if (reader->error == NULL) return;
  char text[sizeof reader->error->place * 2];
  print_place(place, text, sizeof text);
  moc__error_place(reader->error, "%s", text);
}

/* --- Words for messages --- */

moc__quoted moc__quote(const char *text) {
  enum { LONGEST = 48 }; /* a cut text shows no more bytes than this, which leaves room for escapes of the last */
  moc__quoted quoted;
  char *to = quoted.text;
  *to++ = '"';
  while (*text != '\0') {
    unsigned char c = (unsigned char)*text;
    if (to - quoted.text >= LONGEST && (c & 0xC0) != 0x80) break; /* not within a character */
    if (c < 0x20 || c == 0x7F) {
      to += snprintf(to, 8, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') *to++ = '\\';
      *to++ = (char)c;
    }
    text++;
    if (to - quoted.text >= (int)sizeof quoted.text - 14) break; /* bytes that are no UTF-8 */
  }
  memcpy(to, *text == '\0' ? "\"" : "...\"", *text == '\0' ? 2 : 5);
  return quoted;
}

moc__quoted moc__describe(const json_t *value) {
  moc__quoted words;
  size_t size = sizeof words.text;
  if (value == NULL) {
    memcpy(words.text, "nothing", sizeof "nothing");
    return words;
  }
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    snprintf(words.text, size, "an object");
    break;
  case JSON_ARRAY:
    snprintf(words.text, size, "an array");
    break;
  case JSON_STRING: {
    moc__quoted text = moc__quote(json_string_value(value));
    snprintf(words.text, size, "the string %.68s", text.text);
    break;
  }
  case JSON_INTEGER:
    snprintf(words.text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    break;
  case JSON_REAL:
    snprintf(words.text, size, "the fractional number %.17g", json_real_value(value));
    break;
  case JSON_TRUE:
    snprintf(words.text, size, "true");
    break;
  case JSON_FALSE:
    snprintf(words.text, size, "false");
    break;
  case JSON_NULL:
    snprintf(words.text, size, "null");
    break;
  }
  return words;
}

moc__quoted moc__describe_id(const json_t *value) {
  return json_is_string(value) ? moc__quote(json_string_value(value)) : moc__describe(value);
}

/* Edits (insert, delete, replace a byte) between two short words. */
static size_t edit_distance(const char *a, const char *b) {
  enum { LONGEST = 31 };
  size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) return LONGEST;
  size_t row[LONGEST + 1];
  for (size_t j = 0; j <= m; j++) row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      size_t moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      diagonal = row[j];
      row[j] = replaced < moved ? replaced : moved;
    }
  }
  return row[m];
}

const char *moc__nearest(const char *name, const char *const *names) {
  const char *nearest = NULL;
  size_t least = strlen(name) / 2 < 3 ? strlen(name) / 2 + 1 : 4; /* more than this is another word */
  for (; *names != NULL; names++) {
    size_t distance = edit_distance(name, *names);
    if (distance < least) {
      least = distance;
      nearest = *names;
    }
  }
  return nearest;
}

/* --- Parsing --- */

static bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void find_line(const char *text, size_t offset, int64_t *line, int64_t *column) {
  *line = *column = 1;
  for (size_t i = 0; i < offset; i++) {
    if (text[i] == '\n') {
      ++*line;
      *column = 1;
    } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
      ++*column;
    }
  }
}

/* Our words for what Jansson reports. */
static moc_status fail_parse(const json_error_t *found, size_t length, moc_error *error) {
  moc_status status = MOC_PARSE;
  /* Jansson's position is an int and may have wrapped for texts of 2 GiB */
  long long position = found->position < 0 ? 0 : found->position;
  switch (json_error_code(found)) {
  case json_error_out_of_memory:
    return moc__out_of_memory(error);
  case json_error_premature_end_of_input:
    status =
        moc__fail(error, status, "", "the JSON text ends too soon, after %zu bytes; is the file cut off?", length);
    break;
  case json_error_stack_overflow:
    status = moc__fail(error, status, "",
                       "arrays and objects are nested more than 2048 deep; expected at most 5 "
                       "levels");
    break;
  case json_error_invalid_utf8:
    status = moc__fail(error, status, "", "not valid UTF-8 after byte %lld (%s); expected JSON text in UTF-8",
                       position, found->text);
    break;
  case json_error_null_character:
  case json_error_null_byte_in_key:
    status = moc__fail(error, status, "", "a string has the character \\u0000; expected text without it");
    break;
  case json_error_numeric_overflow:
    status = moc__fail(error, MOC_OVERFLOW, "", "%s; expected an integer of at most 2^62 = 4611686018427387904",
                       found->text);
    break;
  case json_error_duplicate_key:
    status = moc__fail(error, status, "", "%s; expected each member of an object once", found->text);
    break;
  default:
    status = moc__fail(error, status, "", "not JSON: %s", found->text);
    break;
  }
  if (error != NULL) {
    error->line = found->line > 0 ? found->line : 1;
    error->column = found->column > 0 ? found->column : 1;
  }
  return status;
}

moc_status moc__json_parse(const char *text, size_t length, const char *what, json_t **root, moc_error *error) {
  static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
  if (text == NULL && length > 0) return moc__fail(error, MOC_INVALID_ARGUMENT, "", "text is NULL");
  if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
    text += 3;
    length -= 3;
  }
  size_t blank = 0;
  while (blank < length && is_json_space(text[blank])) blank++;
  if (blank == length) {
    moc_status status = moc__fail(error, MOC_PARSE, "", "the text is empty; expected a %s in JSON", what);
    if (error != NULL) error->line = error->column = 1;
    return status;
  }
  const char *nul = memchr(text, '\0', length);
  if (nul != NULL) {
    moc_status status =
        moc__fail(error, MOC_PARSE, "", "byte %zu is NUL, which JSON text has not; expected a %s in JSON",
                  (size_t)(nul - text) + 1, what);
    if (error != NULL) find_line(text, (size_t)(nul - text), &error->line, &error->column);
    return status;
  }
  json_error_t found;
  json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &found);
  if (value == NULL) return fail_parse(&found, length, error);
  *root = value;
  return MOC_OK;
}

/* --- Values --- */

static moc_status fail_type(const moc__reader *reader, const moc__place *place, const json_t *value,
                            const char *what, const char *expected) {
  moc__quoted found = moc__describe(value);
  return moc__fail_at(reader, reader->invalid, place, "found %s; %s must be %s", found.text, what, expected);
}

moc_status moc__read_natural(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what, int64_t *number) {
  if (!json_is_integer(value)) return fail_type(reader, place, value, what, "an integer, 0 or more");
  json_int_t found = json_integer_value(value);
  if (found < 0) return fail_type(reader, place, value, what, "an integer, 0 or more");
  if (found > MOC_MAX_TOTAL) {
    return moc__fail_at(reader, MOC_OVERFLOW, place,
                        "found %" JSON_INTEGER_FORMAT "; %s must be at most 2^62 = 4611686018427387904", found,
                        what);
  }
  *number = found;
  return MOC_OK;
}

moc_status moc__read_seconds(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what, double *seconds) {
  if (!json_is_number(value) || json_number_value(value) < 0) {
    return fail_type(reader, place, value, what, "a number, 0 or more");
  }
  *seconds = json_number_value(value);
  return MOC_OK;
}

moc_status moc__read_bool(const moc__reader *reader, const moc__place *place, const json_t *value, const char *what,
                          bool *truth) {
  if (!json_is_boolean(value)) return fail_type(reader, place, value, what, "true or false");
  *truth = json_is_true(value);
  return MOC_OK;
}

moc_status moc__read_string(const moc__reader *reader, const moc__place *place, const json_t *value,
                            const char *what, const char **text) {
  if (!json_is_string(value)) return fail_type(reader, place, value, what, "a string");
  *text = json_string_value(value);
  return MOC_OK;
}

moc_status moc__check_array(const moc__reader *reader, const moc__place *place, const json_t *value,
                            const char *what) {
  return json_is_array(value) ? MOC_OK : fail_type(reader, place, value, what, "an array");
}

moc_status moc__check_object(const moc__reader *reader, const moc__place *place, const json_t *value,
                             const char *what) {
  return json_is_object(value) ? MOC_OK : fail_type(reader, place, value, what, "an object");
}

moc_status moc__check_id(const moc__reader *reader, const moc__place *place, const json_t *value,
                         const char *what) {
  if (json_is_integer(value) || (json_is_string(value) && json_string_length(value) > 0)) return MOC_OK;
  return fail_type(reader, place, value, what, "an integer or a string that is not empty");
}

moc_status moc__check_members(const moc__reader *reader, const moc__place *place, const json_t *object,
                              const char *what, const char *const *names) {
  /* Jansson's iterators take a non-const object but do not change it */
  json_t *borrowed = (json_t *)(uintptr_t)object;
  for (void *i = json_object_iter(borrowed); i != NULL; i = json_object_iter_next(borrowed, i)) {
    const char *key = json_object_iter_key(i);
    const char *const *name = names;
    while (*name != NULL && strcmp(*name, key) != 0) name++;
    if (*name != NULL) continue;
    moc__place member = moc__member(place, key);
    const char *nearest = moc__nearest(key, names);
    moc__quoted quoted = moc__quote(key);
    if (nearest != NULL) {
      return moc__fail_at(reader, reader->invalid, &member, "%s has no member %s; did you mean \"%s\"?", what,
                          quoted.text, nearest);
    }
    char list[160] = "";
    for (name = names; *name != NULL; name++) {
      size_t length = strlen(list);
      snprintf(list + length, sizeof list - length, "%s%s", length == 0 ? "" : ", ", *name);
    }
    return moc__fail_at(reader, reader->invalid, &member, "%s has no member %s; its members are %s", what,
                        quoted.text, list);
  }
  return MOC_OK;
}

void moc__id_text_of(const json_t *value, moc__id_text *id) {
  id->is_integer = json_is_integer(value);
  id->text = id->digits;
  if (id->is_integer)
    snprintf(id->digits, sizeof id->digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
  else
    id->text = json_string_value(value);
}
