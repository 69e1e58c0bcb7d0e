/* Ids to numbers: which of the ids seen so far is this one? Ids are integers or strings; 1 and "1" differ. */
#ifndef MOC_IO_ID_MAP_H
#define MOC_IO_ID_MAP_H

#include "base/base.h"

#include <jansson.h>

/* An id; a string is borrowed. */
typedef struct moc__id {
  const char *text; /* NULL: an integer */
  int64_t number;   /* the integer, or the length of `text` */
} moc__id;

typedef struct moc__id_slot {
  uint32_t tag;   /* the upper half of the hash */
  int32_t number; /* MOC_NONE: free */
} moc__id_slot;

/* Open addressing, at most half full. Hashes depend on a seed that differs from run to run, so that no file is a
 * bad one every time; nothing else depends on it. */
typedef struct moc__id_map {
  moc_allocator allocator;
  moc__id_slot *slots; /* [mask + 1] */
  uint64_t mask;
  uint64_t seed;
  moc__id *ids; /* [capacity] */
  int32_t count;
  int32_t capacity;
} moc__id_map;

/* Room for `capacity` ids; false when memory is out. */
bool moc__id_map_init(moc__id_map *map, const moc_allocator *allocator, int64_t capacity);
/* Safe on a zeroed map. */
void moc__id_map_release(moc__id_map *map);
/* Give `id` the next number, counted from 0, and return MOC_NONE; or return the number it has already. */
int32_t moc__id_map_add(moc__id_map *map, moc__id id);
/* The number of `id`, or MOC_NONE. Expected O(length of the id). */
int32_t moc__id_map_find(const moc__id_map *map, moc__id id);

/* The id that a JSON integer or string is. */
moc__id moc__id_of_json(const json_t *value);
/* The id that a name of a graph is. False when an integer's name is not spelt as files spell integers: digits
 * without leading zeros, within 64 bits. */
bool moc__id_of_name(const char *name, bool is_integer, moc__id *id);
/* The other spelling of `id`, 1 for "1" and the other way round, for hints; false when there is none. `digits` [24]
 * holds its text. */
bool moc__id_other_spelling(moc__id id, char digits[24], moc__id *other);

#endif
