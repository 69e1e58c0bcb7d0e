/* A hash table from names to numbers. A name is a text and whether files spell it as an integer: 1 and "1" are two
 * names. The texts are borrowed and must outlive the table. Expected O(1) a call, open addressing. */
#ifndef MOC_BASE_NAMES_H
#define MOC_BASE_NAMES_H

#include "base/base.h"

typedef struct moc__name_slot {
  const char *text; /* NULL: free */
  uint32_t hash;
  int32_t value; /* non-negative */
  bool is_integer;
} moc__name_slot;

typedef struct moc__names {
  moc_allocator allocator;
  moc__name_slot *slots; /* [mask + 1] */
  int64_t mask;
} moc__names;

/* Room for `count` names, no more. False when memory is out. */
bool moc__names_init(moc__names *names, const moc_allocator *allocator, int64_t count);
void moc__names_release(moc__names *names);
/* Enter a name; the value of an equal name already there, or -1 when it was new and is now entered. */
int32_t moc__names_enter(moc__names *names, const char *text, bool is_integer, int32_t value);
/* The value of a name, or -1. */
int32_t moc__names_find(const moc__names *names, const char *text, bool is_integer);

#endif
