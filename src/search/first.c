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
  REFUTATION_EFFORT = 4000000, /* of all refutations of a round, likewise; */
  FREE_ROUNDS = 2,             /* of either, that are always made, */
  REFUTATION_A_MOVE = 16,      /* effort of other refutations, for each move: a tenth of the time; */
  BUILDING_A_MOVE = 16,        /* of other constructions, likewise, */
  BUILDER_A_MOVE = 80,         /* or of a builder, a third of it */
  ALONG_EFFORT = 2000,         /* of a construction along a schedule in the first round, for each of its steps, */
  ALONG_SETS = 2048,           /* and sets of a search; likewise; */
  ALONGS_A_ROUND = 8,          /* so many are a round, */
  MOST_ALONG_ROUND = 20,       /* up to this one */
  STEPS_AN_OPERATION = 24      /* most steps of a sequence in the first round, for each operation; likewise */
};
static const double ALONG_NOISE[] = {0.7, 0.3, 1.2},
                    LEAST_STEP = 0.002, /* down from a schedule over budget, in shares of that, */
    LEAST_PART = 0.125;                 /* or of what it is over, if that is less */
static const double GROWTH = 1.5;       /* of efforts, from round to round */
static const double NOISE = 2, THRIFT[] = {10, 30, 3, 1};

moc_status moc__first_init(moc__first *first, const moc__staged *staged, const moc__first_options *options,
                           const moc_allocator *allocator, moc_error *error) {
  int64_t tensors = staged->n_tensors;
  *first = (moc__first){.staged = staged,
                        .options = options,
                        .budget = options->budget,
                        .rounds = 2 * options->restarts,
                        .alongs = ALONGS_A_ROUND * options->restarts,
                        .refutations = options->rounds};
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
  for (int32_t p = 0; p < staged->n; p++) first->operations += staged->order[p] != MOC_NONE;
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
  int64_t effort = (int64_t)(EFFORT * pow(GROWTH, round));
  moc__construct_options construct = {
      .budget = options->budget,
      .max_computes = options->max_computes,
      .most_steps = (int64_t)STEPS_AN_OPERATION * staged->n * (1 + round),
      .foresees = round % 2 == 1,
      .guide = round / 2 % 2 == 1 ? options->input_order : NULL,
      .length = staged->n,
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
  first->building += built.effort;
  if (status != MOC_OK || built.length == 0) return status;
  status = moc__split_init(&split, staged, built.sequence, built.length, allocator, NULL);
  if (status == MOC_OK) {
    if (split.pauses == 0 && construct.guide == NULL)
      moc__incumbent_offer_pairs(incumbent, split.pairs, split.n_pairs, built.extra, built.peak,
                                 split.max_computes);
    else if (moc__incumbent_offer_sequence(incumbent, built.sequence, built.length, built.peak, true))
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
                             .thrift = THRIFT[(first->refutations + 3) % 4]};
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

/* Refutation has had its share of the work, with the rounds so far and the next. */
static bool refutes_enough(const moc__first *first, int64_t moves) {
  double effort = REFUTATION_EFFORT * (pow(GROWTH, first->refutations + 1) - 1) / (GROWTH - 1);
  return first->refutations >= FREE_ROUNDS &&
         effort > REFUTATION_A_MOVE * ((double)first->options->moves_before + (double)moves);
}

/* Construction has had its share, with the rounds so far: they may be shorter than they might. */
static bool builds_enough(const moc__first *first, int64_t moves) {
  int32_t share = first->options->builder ? BUILDER_A_MOVE : BUILDING_A_MOVE;
  return first->rounds >= FREE_ROUNDS && (double)first->building > share * (double)moves;
}

void moc__first_refute(moc__first *first, int64_t moves, moc__incumbent *incumbent) {
  if (!first->options->refutes || moc__incumbent_extra(incumbent) != INT64_MAX || first->staged->n >= LARGE ||
      refutes_enough(first, moves))
    return;
  int32_t round = (int32_t)moc__min(first->refutations++, 20), n = first->staged->n;
  int64_t sets = moc__min((int64_t)FIRST_REFUTATION << round, MOST_REFUTATION);
  int64_t effort = first->recall.effort + (int64_t)(REFUTATION_EFFORT * pow(GROWTH, round));
  moc_status status = MOC_OK;
  for (int32_t i = 0; i <= n && status == MOC_OK && !moc__stopped(incumbent) && first->recall.effort < effort;
       i++) {
    status = refute(first, first->turn, sets, effort, incumbent);
    first->turn = first->turn == n ? 0 : first->turn + 1;
  }
  atomic_store(&incumbent->refutations, first->refutations);
  if (status != MOC_OK) moc__incumbent_fail(incumbent);
}

void moc__first_round(moc__first *first, int64_t moves, moc__incumbent *incumbent) {
  if (!builds_enough(first, moves)) {
    if (build(first, incumbent) != MOC_OK) moc__incumbent_fail(incumbent);
    first->rounds++;
  }
  moc__first_refute(first, moves, incumbent);
}

bool moc__first_along(moc__first *first, const int32_t *guide, int64_t length, int64_t peak,
                      moc__incumbent *incumbent, moc__constructed *built) {
  const moc__staged *staged = first->staged;
  const moc__first_options *options = first->options;
  int64_t budget = options->budget, step = peak - budget,
          least = (int64_t)fmin(LEAST_STEP * (double)budget, LEAST_PART * (double)step) + 1;
  int64_t most_steps = moc__min((int64_t)STEPS_AN_OPERATION * first->operations, INT32_MAX);
  *built = (moc__constructed){.peak = peak};
  while (built->peak > budget && step >= least && length <= most_steps && !moc__stopped(incumbent)) {
    int32_t turn = first->alongs++, round = (int32_t)moc__min(turn / ALONGS_A_ROUND, MOST_ALONG_ROUND);
    moc__construct_options construct = {
        .budget = moc__max(budget, built->peak - step),
        .max_computes = options->max_computes,
        .most_steps = most_steps,
        .guide = guide,
        .length = (int32_t)length,
        .replays = true,
        .foresees = turn % 2 == 1,
        .most_effort = (int64_t)(ALONG_EFFORT * (double)length * pow(GROWTH, round)),
        .most_sets = staged->n >= LARGE ? 0 : moc__min((int64_t)ALONG_SETS << (round / 2), MOST_SETS),
        .noise = ALONG_NOISE[turn % 3],
        .seed = options->seed,
        .stream = options->stream + ((uint64_t)turn << 16),
        .stop = stopped,
        .context = incumbent};
    moc__constructed next;
    if (moc__construct(staged, &construct, &incumbent->allocator, &next, NULL) != MOC_OK) {
      moc__incumbent_fail(incumbent);
      break;
    }
    if (next.length == 0) {
      step /= 4;
      continue;
    }
    step = 2 * (built->peak - next.peak);
    moc__release(&incumbent->allocator, built->sequence);
    *built = next;
    guide = next.sequence;
    length = next.length;
  }
  return built->length > 0;
}
