/* Ids to numbers; see id_map.h. */
#include "io/id_map.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static uint64_t hash_id(const moc__id_map *map, moc__id id) {
  uint64_t hash = mix(map->seed + (uint64_t)id.number);
  if (id.text == NULL) return hash;
  const char *text = id.text;
  int64_t left = id.number;
  hash = ~hash; /* strings apart from integers */
  for (; left > 8; left -= 8, text += 8) {
    uint64_t word;
    memcpy(&word, text, 8);
    hash = mix(hash ^ word) + map->seed;
  }
  uint64_t word = 0;
  memcpy(&word, text, (size_t)left);
  return mix(hash ^ word);
}

static bool same_id(moc__id a, moc__id b) {
  if (a.number != b.number || (a.text == NULL) != (b.text == NULL)) return false;
  return a.text == NULL || memcmp(a.text, b.text, (size_t)a.number) == 0;
}

bool moc__id_map_init(moc__id_map *map, const moc_allocator *allocator, int64_t capacity) {
  *map = (moc__id_map){.allocator = *allocator, .capacity = (int32_t)capacity};
  assert(capacity >= 0 && capacity <= MOC_MAX_TENSORS);
  uint64_t slots = 8;
  while (slots < (uint64_t)capacity * 2) slots *= 2;
  map->mask = slots - 1;
  map->slots = MOC__NEW(allocator, slots, moc__id_slot);
  map->ids = MOC__NEW(allocator, capacity, moc__id);
  if (map->slots == NULL || map->ids == NULL) {
    moc__id_map_release(map);
    return false;
  }
  for (uint64_t i = 0; i < slots; i++) map->slots[i].number = MOC_NONE;
  map->seed = mix((uint64_t)(uintptr_t)map->slots) ^ mix(~(uint64_t)(uintptr_t)map);
  return true;
}

void moc__id_map_release(moc__id_map *map) {
  if (map->slots != NULL) moc__release(&map->allocator, map->slots);
  if (map->ids != NULL) moc__release(&map->allocator, map->ids);
  map->slots = NULL;
  map->ids = NULL;
}

/* The slot of `id`, or the free slot where it belongs. */
static uint64_t find_slot(const moc__id_map *map, moc__id id, uint32_t *tag) {
  uint64_t hash = hash_id(map, id);
  *tag = (uint32_t)(hash >> 32);
  uint64_t at = hash & map->mask;
  while (map->slots[at].number != MOC_NONE) {
    if (map->slots[at].tag == *tag && same_id(map->ids[map->slots[at].number], id)) break;
    at = (at + 1) & map->mask;
  }
  return at;
}

int32_t moc__id_map_add(moc__id_map *map, moc__id id) {
  uint32_t tag;
  uint64_t at = find_slot(map, id, &tag);
  if (map->slots[at].number != MOC_NONE) return map->slots[at].number;
  assert(map->count < map->capacity);
  map->slots[at] = (moc__id_slot){tag, map->count};
  map->ids[map->count++] = id;
  return MOC_NONE;
}

int32_t moc__id_map_find(const moc__id_map *map, moc__id id) {
  uint32_t tag;
  return map->slots[find_slot(map, id, &tag)].number;
}

moc__id moc__id_of_json(const json_t *value) {
  if (json_is_integer(value)) return (moc__id){NULL, json_integer_value(value)};
  return (moc__id){json_string_value(value), (int64_t)json_string_length(value)};
}

/* Digits as JSON has them for a 64-bit integer. */
static bool parse_integer(const char *text, int64_t *number) {
  bool negative = *text == '-';
  const char *digit = text + (negative ? 1 : 0);
  if (*digit == '\0' || (*digit == '0' && (digit[1] != '\0' || negative))) return false;
  int64_t value = 0; /* kept negative, which reaches one further */
  for (; *digit != '\0'; digit++) {
    if (*digit < '0' || *digit > '9') return false;
    int next = *digit - '0';
    if (value < (INT64_MIN + next) / 10) return false;
    value = value * 10 - next;
  }
  if (!negative && value == INT64_MIN) return false;
  *number = negative ? value : -value;
  return true;
}

bool moc__id_of_name(const char *name, bool is_integer, moc__id *id) {
  if (!is_integer) {
    *id = (moc__id){name, (int64_t)strlen(name)};
    return true;
  }
  id->text = NULL;
  return parse_integer(name, &id->number);
}

bool moc__id_other_spelling(moc__id id, char digits[24], moc__id *other) {
  if (id.text == NULL) {
    *other = (moc__id){digits, snprintf(digits, 24, "%" PRId64, id.number)};
    return true;
  }
  other->text = NULL;
  return parse_integer(id.text, &other->number);
}
