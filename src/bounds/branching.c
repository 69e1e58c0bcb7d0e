/* Proofs by cases: the tree, and the search that grows it; see branching.h.
 *
 * Between calls every leaf has a bound that exact integers prove with its part: a branch that was stopped halfway is taken
 * back. Answers that a leaf's own multipliers refute are fixed before it is divided: such a branch costs no ascent. The
 * weakest leaf is found by looking at all, O(nodes), which is little next to the ascents that divide it. */
#include "bounds/branching_tree.h"

#include <math.h>

enum {
  LOOK_ROUNDS = 100, /* before a case is divided, for its average solution */
  MOST_NODES = 8192,
  MOST_BYTES = 2 << 20, /* of the certificate in a plan file, about */
  WEIGHT_BITS = 28      /* of the largest weight of the first case; later ones may be larger */
};

/* --- The first case --- */

static bool copy_relaxation(moc__branching *b, const moc__retain *root) {
  moc__retain *r = &b->retain;
  for (int32_t p = 0; p < root->staged->n; p++) { /* the program's literals are among them */
    for (int64_t i = 0; i < root->ops[p].n_intervals; i++)
      (void)moc__retain_interval(r, p, root->ops[p].intervals[i].first, root->ops[p].intervals[i].last);
  }
  for (int64_t e = 0; e < root->n_events; e++) {
    const moc__retain_event *event = &root->events[e];
    if (event->best <= 0 && event->proves <= 0) continue;
    int64_t copy = moc__retain_event_add(r, *event);
    if (copy < 0) return false;
    for (int64_t h = event->first_hold; h >= 0; h = root->holds[h].next) {
      int64_t hold = moc__retain_hold_add(r, copy, root->holds[h].tensor, root->holds[h].size);
      if (hold < 0) return false;
      for (int64_t k = root->holds[h].first_support; k >= 0; k = root->supports[k].next) {
        moc__retain_support s = root->supports[k];
        s.read = moc__retain_interval_of(r, root, s.reader, s.read);
        s.end = moc__retain_interval_of(r, root, s.ender, s.end);
        moc__retain_support_add(r, hold, s);
      }
    }
  }
  return !r->out_of_memory;
}

/* The multipliers of the best bound so far, which the search may have left far behind. */
static void load_proven(moc__branching *b, int shift) {
  moc__retain *r = &b->retain;
  double scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) r->events[i].best = ldexp((double)r->events[i].proves, -shift) / scale;
  for (int64_t k = 0; k < r->n_supports; k++)
    r->supports[k].best = ldexp((double)r->supports[k].proves, -MOC__FRACTION_SHIFT);
}

/* The largest weight of the first case has so many bits; where it has none, what pays a typical operation for a typical
 * tensor. */
static int choose_shift(const moc__retain *r, int proven_shift) {
  double largest = 0, scale = r->cost_unit / r->byte_unit;
  for (int64_t i = 0; i < r->n_events; i++) {
    largest = fmax(largest, r->events[i].best * scale);
    largest = fmax(largest, ldexp((double)r->events[i].proves, -proven_shift));
  }
  if (!(largest > 0) || !isfinite(largest)) largest = scale;
  int shift = WEIGHT_BITS - ilogb(fmin(largest, scale));
  return shift < 0 ? 0 : shift > 50 ? 50 : shift;
}

moc__branching *moc__branching_create(const moc__retain *root, int32_t max_computes) {
  moc__branching *b = moc__allocate_zeroed(&root->allocator, 1, sizeof *b);
  if (b == NULL) return NULL;
  b->allocator = root->allocator;
  bool room =
      moc__retain_init(&b->retain, root->staged, root->budget, max_computes, &b->allocator, NULL) == MOC_OK &&
      moc__grow(&b->allocator, &b->nodes, 0, &b->nodes_capacity, sizeof *b->nodes) &&
      moc__grow(&b->allocator, &b->parts, 0, &b->parts_capacity, sizeof *b->parts) && copy_relaxation(b, root);
  if (room) {
    b->parts[b->n_parts++] = (moc__branch_part){0};
    b->nodes[b->n_nodes++] = (moc__branch_node){.above = -1, .below = -1};
    b->shift = choose_shift(&b->retain, root->shift);
    moc__branching_use(b, 0, 1);
    moc__branching_lay_out(b);
  }
  if (room && !b->failed) {
    moc__branching_take(b, 0, INT64_MAX);
    load_proven(b, root->shift);
    moc__branching_take(b, 0, INT64_MAX);
    return b;
  }
  moc__branching_destroy(b);
  return NULL;
}

void moc__branching_destroy(moc__branching *b) {
  if (b == NULL) return;
  moc_allocator allocator = b->allocator;
  for (int64_t i = 0; i < b->n_parts; i++) {
    moc__release(&allocator, b->parts[i].weights);
    moc__release(&allocator, b->parts[i].shares);
  }
  b->retain.cases = NULL;
  if (b->retain.ops != NULL) moc__retain_release(&b->retain);
  void *blocks[] = {b->nodes, b->parts, b->weight, b->fraction, b->index_of, b};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&allocator, blocks[i]);
}

/* --- The tree --- */

/* The leaf that proves least; -1: none proves less than `target`. */
static int64_t weakest(const moc__branching *b, int64_t target) {
  int64_t found = -1;
  for (int64_t i = 0; i < b->n_nodes; i++) {
    if (b->nodes[i].below >= 0 || b->nodes[i].extra >= target) continue;
    if (found < 0 || b->nodes[i].extra < b->nodes[found].extra) found = i;
  }
  return found;
}

/* Two leaves below a leaf. False when memory is out. */
static bool add_branch(moc__branching *b, int64_t index, moc__branch_literal l) {
  for (int side = 0; side < 2; side++) {
    if (!moc__grow(&b->allocator, &b->nodes, b->n_nodes, &b->nodes_capacity, sizeof *b->nodes)) {
      b->failed = true;
      b->n_nodes -= side;
      return false;
    }
    b->nodes[b->n_nodes++] = (moc__branch_node){.above = index,
                                                .below = -1,
                                                .runs = side == 0,
                                                .depth = b->nodes[index].depth + 1,
                                                .part = b->nodes[index].part,
                                                .extra = -1};
  }
  b->nodes[index].branch = l;
  b->nodes[index].below = b->n_nodes - 2;
  return true;
}

static void remove_branch(moc__branching *b, int64_t index) {
  b->nodes[index].below = -1;
  b->n_nodes -= 2;
}

/* --- The search --- */

/* An answer that the leaf's own multipliers refute: a branch whose other leaf takes its place. That one, or -1 if exact
 * integers do not refute it. */
static int64_t fix(moc__branching *b, int64_t index, moc__branch_literal l, bool runs, int64_t target) {
  int64_t own = b->nodes[index].part;
  if (!add_branch(b, index, l)) return -1;
  int64_t closed = b->nodes[index].below + !runs, open = b->nodes[index].below + runs;
  moc__branching_assume(b, closed, NULL, false);
  b->nodes[closed].extra = b->failed ? -1 : moc__branching_prove(b, own);
  if (b->nodes[closed].extra < target) {
    remove_branch(b, index);
    return -1;
  }
  b->nodes[open].extra = b->nodes[index].extra;
  moc__branching_use(b, own, 1);
  return open;
}

/* Fix what can be, from a leaf on. The leaf that takes its place; itself if nothing can be fixed. */
static int64_t fix_all(moc__branching *b, int64_t index, int64_t target) {
  moc__branch_literal found[MOC__MOST_REFUTED];
  bool runs[MOC__MOST_REFUTED];
  moc__branching_load(b, b->nodes[index].part);
  int count = moc__branching_refuted(b, target, found, runs);
  for (int i = 0; i < count && !b->failed && b->nodes[index].depth < MOC_MAX_BRANCH_DEPTH; i++) {
    int64_t next = fix(b, index, found[i], runs[i], target);
    if (next >= 0) index = next;
  }
  return index;
}

/* Look closely at a leaf, then fix what can be fixed, or divide it. False when nothing came of it, or it was stopped. */
static bool divide(moc__branching *b, int64_t index, int64_t target, bool (*stop)(void *), void *context) {
  moc__retain *r = &b->retain;
  moc__branch_literal l;
  int64_t before = b->nodes[index].extra;
  moc__branching_assume(b, index, NULL, false);
  if (b->failed || b->nodes[index].depth >= MOC_MAX_BRANCH_DEPTH) return false;
  for (int32_t q = 0; q < r->staged->n; q++) r->ops[q].n_masses = 0;
  moc__branching_load(b, b->nodes[index].part);
  moc__branching_ascend(b, target, LOOK_ROUNDS, stop, context);
  moc__branching_take(b, index, target);
  if (b->failed || b->nodes[index].extra >= target) return !b->failed;
  int64_t fixed = fix_all(b, index, target);
  if (fixed != index && !b->failed) {
    moc__branching_assume(b, fixed, NULL, false);
    if (!b->failed) moc__branching_improve(b, fixed, b->nodes[fixed].part, target, stop, context);
    return !b->failed;
  }
  moc__branching_assume(b, index, NULL, false);
  if (b->failed) return false;
  if (!moc__branching_choose(b, index, target, &l, stop, context)) {
    if (b->failed || (stop != NULL && stop(context))) return false;
    moc__branching_assume(b, index, NULL, false);
    int64_t known = r->n_supports;
    if (!b->failed) moc__branching_improve(b, index, b->nodes[index].part, target, stop, context);
    return b->nodes[index].extra > before || r->n_supports > known;
  }
  int64_t above = b->nodes[index].part;
  if (!add_branch(b, index, l)) return false;
  int64_t first = b->nodes[index].below;
  for (int side = 0; side < 2; side++) {
    moc__branching_bound(b, first + side, above, b->nodes[first].part, target, stop, context);
    if (b->failed || (stop != NULL && stop(context))) { /* as it was before */
      for (int done = 0; done < 2; done++) {
        if (b->nodes[first + done].extra >= 0) moc__branching_use(b, b->nodes[first + done].part, -1);
      }
      remove_branch(b, index);
      return false;
    }
  }
  moc__branching_use(b, above, -1);
  return true;
}

bool moc__branching_run(moc__branching *b, int64_t target, int64_t effort, bool (*stop)(void *), void *context) {
  int64_t end = b->retain.work + effort;
  if (b->n_nodes == 1 && !b->failed) moc__branching_improve(b, 0, b->nodes[0].part, target, stop, context);
  while (!b->failed && b->n_nodes + 2 <= MOST_NODES && b->bytes < MOST_BYTES) {
    int64_t index = weakest(b, target);
    if (index < 0 || b->nodes[index].done) return false;
    if (b->retain.work >= end || (stop != NULL && stop(context))) return true;
    if (!divide(b, index, target, stop, context)) b->nodes[index].done = stop == NULL || !stop(context);
  }
  return false;
}

int64_t moc__branching_work(const moc__branching *b) {
  return b->retain.work;
}

int64_t moc__branching_extra(const moc__branching *b) {
  int64_t index = weakest(b, INT64_MAX);
  return index < 0 ? 0 : b->nodes[index].extra;
}
