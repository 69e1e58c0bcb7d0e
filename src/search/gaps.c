/* The gaps of an order; see gaps.h. */
#include "search/gaps.h"

/* List tensor t at the nodes that make up stages first..last. Counting: `tensors` is NULL and start[node + 1] is
 * counted up; filling: start[node + 1] is where the node's next listing goes. */
static void list_range(moc__gaps *gaps, int32_t first, int32_t last, int32_t t) {
  int64_t low = (int64_t)first + gaps->leaves, high = (int64_t)last + gaps->leaves + 1;
  for (; low < high; low /= 2, high /= 2) {
    for (int side = 0; side < 2; side++) {
      int64_t node = side == 0 ? (low % 2 == 1 ? low++ : 0) : (high % 2 == 1 ? --high : 0);
      if (node == 0) continue;
      if (gaps->tensors != NULL) gaps->tensors[gaps->start[node + 1]] = t;
      gaps->start[node + 1]++;
    }
  }
}

static void list_all(moc__gaps *gaps, const moc__staged *staged) {
  for (int32_t p = 0; p < staged->n; p++) {
    if (staged->compute_once[p]) continue;
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      if (staged->size[t] == 0) continue;
      int32_t from = p;
      for (int64_t i = staged->readers.start[t]; i < staged->readers.start[t + 1]; i++) {
        int32_t reader = staged->readers.items[i];
        if (reader > from + 1) list_range(gaps, from + 1, reader - 1, t);
        from = reader;
      }
      if (staged->keep[t] && staged->n - 1 > from + 1) list_range(gaps, from + 1, staged->n - 2, t);
    }
  }
}

moc_status moc__gaps_init(moc__gaps *gaps, const moc__staged *staged, const moc_allocator *allocator,
                          moc_error *error) {
  int32_t leaves = 1;
  while (leaves < staged->n) leaves *= 2;
  *gaps = (moc__gaps){.allocator = *allocator, .leaves = leaves};
  int64_t nodes = 2 * (int64_t)leaves;
  gaps->start = MOC__NEW_ZEROED(allocator, nodes + 1, int64_t);
  if (gaps->start == NULL) return moc__out_of_memory(error);
  list_all(gaps, staged);
  /* Node i's listings go to start[i]..start[i + 1]; while filling, start[i + 1] runs up from start[i]. */
  int64_t sum = 0;
  for (int64_t i = 1; i <= nodes; i++) {
    int64_t count = gaps->start[i];
    gaps->start[i] = sum;
    sum += count;
  }
  gaps->tensors = MOC__NEW(allocator, sum, int32_t);
  if (gaps->tensors == NULL) {
    moc__gaps_release(gaps);
    return moc__out_of_memory(error);
  }
  list_all(gaps, staged);
  return MOC_OK;
}

void moc__gaps_release(moc__gaps *gaps) {
  moc__release(&gaps->allocator, gaps->start);
  moc__release(&gaps->allocator, gaps->tensors);
  *gaps = (moc__gaps){.allocator = gaps->allocator};
}

int32_t moc__gaps_draw(const moc__gaps *gaps, int32_t j, moc__rng *rng) {
  int64_t total = 0;
  for (int64_t node = (int64_t)j + gaps->leaves; node > 0; node /= 2)
    total += gaps->start[node + 1] - gaps->start[node];
  if (total == 0) return -1;
  int64_t drawn = moc__rng_below(rng, (uint32_t)moc__min(total, UINT32_MAX));
  for (int64_t node = (int64_t)j + gaps->leaves; node > 0; node /= 2) {
    int64_t count = gaps->start[node + 1] - gaps->start[node];
    if (drawn < count) return gaps->tensors[gaps->start[node] + drawn];
    drawn -= count;
  }
  return -1;
}
