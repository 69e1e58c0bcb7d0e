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

/* The places that read tensor t, ascending, to gaps->reads. Nearly ascending as they come where the order is much like
 * the staged one, so that insertion is quick. */
static int32_t sort_reads(moc__gaps *gaps, const moc__staged *staged, const int32_t *place, int32_t t) {
  int32_t count = 0, *reads = gaps->reads;
  for (int64_t r = staged->readers.start[t]; r < staged->readers.start[t + 1]; r++, count++) {
    int32_t at = place[staged->readers.items[r]], i = count;
    for (; i > 0 && reads[i - 1] > at; i--) reads[i] = reads[i - 1];
    reads[i] = at;
  }
  return count;
}

/* List the gap of tensor t after place `from` and before a read at place `to`, if there is one that is wanted. */
static void list_gap(moc__gaps *gaps, const int32_t *place, int32_t p, int32_t t, int32_t from, int32_t to) {
  if (to > from + 1 && (gaps->lists == NULL || gaps->lists(gaps->context, place, p, from, to)))
    list_range(gaps, from + 1, to - 1, t);
}

static void list_all(moc__gaps *gaps, const moc__staged *staged, const int32_t *place) {
  for (int32_t p = 0; p < staged->n; p++) {
    if (staged->compute_once[p]) continue;
    for (int32_t t = staged->first_output[p]; t < staged->first_output[p + 1]; t++) {
      if (staged->size[t] == 0) continue;
      int32_t from = place[p], count = sort_reads(gaps, staged, place, t);
      for (int32_t i = 0; i < count; i++) {
        list_gap(gaps, place, p, t, from, gaps->reads[i]);
        from = gaps->reads[i];
      }
      if (staged->keep[t]) list_gap(gaps, place, p, t, from, staged->n - 1);
    }
  }
}

bool moc__gaps_rebuild(moc__gaps *gaps, const moc__staged *staged, const int32_t *place) {
  int64_t nodes = 2 * (int64_t)gaps->leaves;
  int32_t *listings = gaps->tensors;
  gaps->tensors = NULL;
  memset(gaps->start, 0, ((size_t)nodes + 1) * sizeof *gaps->start);
  list_all(gaps, staged, place);
  /* Node i's listings go to start[i]..start[i + 1]; while filling, start[i + 1] runs up from start[i]. */
  int64_t sum = 0;
  for (int64_t i = 1; i <= nodes; i++) {
    int64_t count = gaps->start[i];
    gaps->start[i] = sum;
    sum += count;
  }
  bool ok = moc__reserve(&gaps->allocator, &listings, sum, &gaps->capacity, sizeof *listings);
  gaps->tensors = listings;
  if (!ok)
    memset(gaps->start, 0, ((size_t)nodes + 1) * sizeof *gaps->start);
  else if (sum > 0)
    list_all(gaps, staged, place);
  return ok;
}

moc_status moc__gaps_init(moc__gaps *gaps, const moc__staged *staged, const int32_t *place, moc__lists_gap *lists,
                          const void *context, const moc_allocator *allocator, moc_error *error) {
  int32_t leaves = 1;
  while (leaves < staged->n) leaves *= 2;
  *gaps = (moc__gaps){.allocator = *allocator, .leaves = leaves, .lists = lists, .context = context};
  int64_t most_readers = 0;
  for (int32_t t = 0; t < staged->n_tensors; t++)
    most_readers = moc__max(most_readers, staged->readers.start[t + 1] - staged->readers.start[t]);
  gaps->start = MOC__NEW(allocator, 2 * (int64_t)leaves + 1, int64_t);
  gaps->reads = MOC__NEW(allocator, most_readers, int32_t);
  if (gaps->start != NULL && gaps->reads != NULL && moc__gaps_rebuild(gaps, staged, place)) return MOC_OK;
  moc__gaps_release(gaps);
  return moc__out_of_memory(error);
}

void moc__gaps_release(moc__gaps *gaps) {
  moc__release(&gaps->allocator, gaps->start);
  moc__release(&gaps->allocator, gaps->tensors);
  moc__release(&gaps->allocator, gaps->reads);
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
