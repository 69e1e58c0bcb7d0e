/* Writing strings, integers and ids as JSON. Text goes straight into a growing buffer. */
#include "io/id_map.h"
#include "io/io.h"

#include <stdio.h>

/* Bytes of the UTF-8 character at `text`, 0 when it is none (overlong, a surrogate, beyond U+10FFFF, cut off). */
static int character_length(const unsigned char *text) {
  unsigned char c = text[0];
  int length = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
  for (int i = 1; i < length; i++) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F)) return 0;
  if ((c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] > 0x8F)) return 0;
  return length;
}

bool moc__text_string(moc__text *text, const char *string) {
  const char *plain = string; /* start of what needs no escape */
  const char *at = string;
  moc__text_literal(text, "\"");
  while (*at != '\0') {
    int length = character_length((const unsigned char *)at);
    if (length == 0) return false;
    unsigned char c = (unsigned char)*at;
    if (c >= 0x20 && c != '"' && c != '\\') {
      at += length;
      continue;
    }
    moc__text_add(text, plain, at - plain);
    switch (c) {
    case '"':
      moc__text_literal(text, "\\\"");
      break;
    case '\\':
      moc__text_literal(text, "\\\\");
      break;
    case '\n':
      moc__text_literal(text, "\\n");
      break;
    case '\t':
      moc__text_literal(text, "\\t");
      break;
    default:
      moc__text_printf(text, "\\u%04x", c);
      break;
    }
    plain = ++at;
  }
  moc__text_add(text, plain, at - plain);
  moc__text_literal(text, "\"");
  return true;
}

void moc__text_integer(moc__text *text, int64_t number) {
  char digits[24];
  char *at = digits + sizeof digits;
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  do {
    *--at = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (number < 0) *--at = '-';
  moc__text_add(text, at, digits + sizeof digits - at);
}

/* Add a name as an id. False when it cannot be one. */
static bool add_id(moc__text *text, const char *name, bool is_integer) {
  moc__id id;
  if (!is_integer) return moc__text_string(text, name);
  if (!moc__id_of_name(name, true, &id)) return false;
  moc__text_integer(text, id.number);
  return true;
}

static moc_status fail_id(const char *what, int number, const char *name, bool is_integer, moc_error *error) {
  moc__quoted quoted = moc__quote(name);
  if (!is_integer) {
    return moc__fail(error, MOC_INVALID_ARGUMENT, "", "the name of %s %d is not UTF-8, which JSON needs", what,
                     number);
  }
  return moc__fail(error, MOC_INVALID_ARGUMENT, "",
                   "the name of %s %d is said to be an integer and is %s; expected digits without leading zeros, "
                   "within 64 bits",
                   what, number, quoted.text);
}

moc_status moc__text_op_id(moc__text *text, const moc_graph *graph, moc_op op, moc_error *error) {
  const char *name = moc_graph_op_name(graph, op);
  bool is_integer = moc_graph_op_name_is_integer(graph, op);
  return add_id(text, name, is_integer) ? MOC_OK : fail_id("operation", op, name, is_integer, error);
}

void moc__tensor_ids_init(moc__tensor_ids *ids, const moc_graph *graph) {
  *ids = (moc__tensor_ids){graph, 0};
  for (moc_tensor t = 0; t < moc_graph_tensors(graph); t++) {
    const char *name = moc_graph_tensor_name(graph, t);
    if (name[0] != 't' || moc_graph_tensor_name_is_integer(graph, t)) continue;
    int32_t run = (int32_t)strspn(name + 1, "_");
    if (name[1 + run] != '\0' && run >= ids->underscores) ids->underscores = run + 1;
  }
}

moc_status moc__text_tensor_id(moc__text *text, const moc__tensor_ids *ids, moc_tensor tensor, moc_error *error) {
  const char *name = moc_graph_tensor_name(ids->graph, tensor);
  bool is_integer = moc_graph_tensor_name_is_integer(ids->graph, tensor);
  if (name[0] != '\0') {
    return add_id(text, name, is_integer) ? MOC_OK : fail_id("tensor", tensor, name, is_integer, error);
  }
  moc__text_literal(text, "\"t");
  for (int32_t i = 0; i < ids->underscores; i++) moc__text_literal(text, "_");
  moc__text_integer(text, tensor);
  moc__text_literal(text, "\"");
  return MOC_OK;
}

moc_tensor moc__tensor_of_id(const moc__tensor_ids *ids, const char *text) {
  moc__id id;
  int32_t run = text[0] == 't' ? (int32_t)strspn(text + 1, "_") : -1;
  if (run != ids->underscores || !moc__id_of_name(text + 1 + run, true, &id)) return MOC_NONE;
  if (id.number < 0 || id.number >= moc_graph_tensors(ids->graph)) return MOC_NONE;
  moc_tensor tensor = (moc_tensor)id.number;
  return moc_graph_tensor_name(ids->graph, tensor)[0] == '\0' ? tensor : MOC_NONE;
}
