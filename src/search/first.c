/* Rounds of construction and refutation; see first.h. */
#include "search/first.h"

#include "search/construct.h"
#include "search/split.h"

#include <math.h>

enum {
  LARGE = 4096,          /* operations from which on there is no search for ways to bring back inputs */
  FIRST_SETS = 8192,     /* of such a search in the first round; twice as many in every other */
  MOST_SETS = 1 << 20,   /* but no more */
  FIRST_REFUTATION = 32, /* sets of the search for a way to compute one operation, likewise */
  MOST_REFUTATION = 1 << 22,
  EFFORT = 16000000,           /* of a construction in the first round; half as much again in every other */
  REFUTATION_EFFORT = 4000000, /* of all refutations of a round, likewise */
  STEPS_AN_OPERATION = 24      /* most steps of a sequence in the first round, for each operation; likewise */
};
static const double NOISE = 2, THRIFT[] = {10, 30, 3, 1};

moc_status moc__first_init(moc__first *first, const moc__staged *staged, const moc__first_options *options,
                           const moc_allocator *allocator, moc_error *error) {
  int64_t tensors = staged->n_tensors;
  *first = (moc__first){.staged = staged, .options = options, .budget = options->budget};
  moc_status status = moc__recall_init(&first->recall, staged, allocator, error);
  if (status != MOC_OK) return status;
  first->nothing = MOC__NEW_ZEROED(allocator, tensors, bool);
  first->fixed = MOC__NEW_ZEROED(allocator, tensors, bool);
  first->possible = MOC__NEW_ZEROED(allocator, (int64_t)staged->n + 1, bool);
  first->kept = MOC__NEW(allocator, tensors, int32_t);
  if (!first->nothing || !first->fixed || !first->possible || !first->kept) {
    moc__first_release(first);
    return moc__out_of_memory(error);
  }
  for (int32_t t = 0; t < staged->n_tensors; t++) {
    first->nothing[t] = staged->producer[t] < 0;
    if (!staged->keep[t]) continue;
    if (staged->producer[t] >= 0) {
      first->kept[first->n_kept++] = t;
    } else {
      first->fixed[t] = true;
      first->budget -= staged->size[t];
    }
  }
  return MOC_OK;
}

void moc__first_release(moc__first *first) {
  moc_allocator allocator = first->recall.allocator;
  void *blocks[] = {first->nothing, first->fixed, first->possible, first->kept};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) moc__release(&allocator, blocks[i]);
  moc__recall_release(&first->recall);
  *first = (moc__first){.recall = {.allocator = allocator}};
}

static bool stopped(void *context) {
  return moc__stopped(context);
}

/* Build a schedule and offer it. */
static moc_status build(moc__first *first, moc__incumbent *incumbent) {
  const moc__staged *staged = first->staged;
  const moc__first_options *options = first->options;
  const moc_allocator *allocator = &incumbent->allocator;
  int32_t round = (int32_t)moc__min(first->rounds, 20);
  int64_t effort = (int64_t)(EFFORT * pow(1.5, round));
  moc__construct_options construct = {
      .budget = options->budget,
      .max_computes = options->max_computes,
      .most_steps = (int64_t)STEPS_AN_OPERATION * staged->n * (1 + round),
      .foresees = round % 2 == 1,
      .order = round / 2 % 2 == 1 ? options->input_order : NULL,
      .most_effort = effort,
      .most_sets = staged->n >= LARGE ? 0 : moc__min((int64_t)FIRST_SETS << (round / 2), MOST_SETS),
      .noise = options->stream == 0 && round == 0 ? 0 : NOISE,
      .seed = options->seed,
      .stream = options->stream + (uint64_t)round,
      .stop = stopped,
      .context = incumbent};
  moc__constructed built;
  moc__split split;
  moc_status status = moc__construct(staged, &construct, allocator, &built, NULL);
  if (status != MOC_OK || built.length == 0) return status;
  status = moc__split_init(&split, staged, built.sequence, built.length, allocator, NULL);
  if (status == MOC_OK) {
    if (split.pauses == 0 && construct.order == NULL)
      moc__incumbent_offer_pairs(incumbent, split.pairs, split.n_pairs, built.extra, built.peak,
                                 split.max_computes);
    else if (moc__incumbent_offer_sequence(incumbent, built.sequence, built.length, built.peak))
      built.sequence = NULL; /* now the incumbent's */
    moc__split_release(&split, allocator);
  }
  moc__release(allocator, built.sequence);
  return status;
}

/* Look at the tensors that must be resident when `op` has run (n: at the end). */
static moc_status refute(moc__first *first, int32_t op, int64_t most_sets, int64_t most_effort,
                         moc__incumbent *incumbent) {
  const moc__staged *staged = first->staged;
  if (first->possible[op]) return MOC_OK;
  int32_t outputs = op == staged->n ? 0 : staged->first_output[op + 1] - staged->first_output[op];
  moc__recall_query query = {.targets = op == staged->n ? first->kept : first->recall.scratch,
                             .n_targets = op == staged->n ? first->n_kept : outputs,
                             .resident = first->nothing,
                             .fixed = first->fixed,
                             .budget = first->budget,
                             .most_sets = most_sets,
                             .most_effort = most_effort,
                             .stop = stopped,
                             .context = incumbent,
                             .thrift = THRIFT[first->rounds % 4]};
  for (int32_t i = 0; i < outputs; i++) first->recall.scratch[i] = staged->first_output[op] + i;
  switch (moc__recall_find(&first->recall, &query)) {
  case MOC__RECALL_FOUND:
    first->possible[op] = true;
    break;
  case MOC__RECALL_IMPOSSIBLE:
    moc__incumbent_refute(incumbent, op);
    break;
  case MOC__RECALL_GAVE_UP:
    break;
  case MOC__RECALL_OUT_OF_MEMORY:
    return MOC_OUT_OF_MEMORY;
  }
  return MOC_OK;
}

void moc__first_round(moc__first *first, moc__incumbent *incumbent) {
  moc_status status = build(first, incumbent);
  bool none = moc__incumbent_extra(incumbent) == INT64_MAX;
  if (first->options->refutes && none && first->staged->n < LARGE) {
    int64_t sets = moc__min((int64_t)FIRST_REFUTATION << moc__min(first->rounds, 20), MOST_REFUTATION);
    int64_t effort =
        first->recall.effort + (int64_t)(REFUTATION_EFFORT * pow(1.5, (double)moc__min(first->rounds, 20)));
    int32_t n = first->staged->n;
    for (int32_t i = 0; i <= n && status == MOC_OK && !moc__stopped(incumbent) && first->recall.effort < effort;
         i++) {
      status = refute(first, first->turn, sets, effort, incumbent);
      first->turn = first->turn == n ? 0 : first->turn + 1;
    }
  }
  first->rounds++;
  if (status != MOC_OK) moc__incumbent_fail(incumbent);
}
