/* A hash table from names to numbers; see names.h. */
#include "base/names.h"

/* FNV-1a with a final mix, so that consecutive numbers spread over the low bits. */
static uint32_t hash_of(const char *text, bool is_integer) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) + is_integer;
  for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  hash ^= hash >> 32;
  hash *= UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(hash >> 32);
}

bool moc__names_init(moc__names *names, const moc_allocator *allocator, int64_t count) {
  int64_t slots = 16;
  while (slots < count + count / 2 + 1) slots *= 2;
  *names = (moc__names){.allocator = *allocator, .mask = slots - 1};
  names->slots = MOC__NEW_ZEROED(allocator, slots, moc__name_slot);
  return names->slots != NULL;
}

void moc__names_release(moc__names *names) {
  moc__release(&names->allocator, names->slots);
  names->slots = NULL;
}

/* The slot that holds the name, or the free one where it belongs. */
static moc__name_slot *slot_of(const moc__names *names, const char *text, bool is_integer, uint32_t hash) {
  for (int64_t i = hash & names->mask;; i = (i + 1) & names->mask) {
    moc__name_slot *slot = &names->slots[i];
    if (slot->text == NULL) return slot;
    if (slot->hash == hash && slot->is_integer == is_integer && strcmp(slot->text, text) == 0) return slot;
  }
}

int32_t moc__names_enter(moc__names *names, const char *text, bool is_integer, int32_t value) {
  uint32_t hash = hash_of(text, is_integer);
  moc__name_slot *slot = slot_of(names, text, is_integer, hash);
  if (slot->text != NULL) return slot->value;
  *slot = (moc__name_slot){text, hash, value, is_integer};
  return -1;
}

int32_t moc__names_find(const moc__names *names, const char *text, bool is_integer) {
  const moc__name_slot *slot = slot_of(names, text, is_integer, hash_of(text, is_integer));
  return slot->text == NULL ? -1 : slot->value;
}
