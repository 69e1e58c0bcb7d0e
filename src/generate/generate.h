/* Generators of compute graphs: seeded random layered graphs, chains, and training graphs of well-known networks.
 *
 * One table lists every kind with its options; the command line makes its arguments, range checks and help from
 * it. Equal kind, values and seed give the equal graph on every machine: only integers and exactly rounded
 * floating-point operations decide what is made. Everything is built through the public builder. */
#ifndef MOC_GENERATE_GENERATE_H
#define MOC_GENERATE_GENERATE_H

#include <moccasin/moccasin.h>

/* An option of a generator: a whole number. */
typedef struct moc__generator_option {
  const char *name; /* as on the command line, without dashes: "batch" */
  const char *help; /* a phrase without a full stop */
  int64_t value_default, low, high;
} moc__generator_option;

/* A kind of graph. */
typedef struct moc__generator {
  const char *name;                     /* "layered" */
  const char *help;                     /* one phrase */
  const moc__generator_option *options; /* [n_options] */
  int n_options;
  bool seeded; /* the seed makes a difference, at least for some values */
  /* The work itself: fill a fresh builder. `values` are in range, `allocator` is not NULL. Call moc__generate instead. */
  moc_status (*fill)(const int64_t *values, uint64_t seed, const moc_allocator *allocator, moc_builder *builder,
                     moc_error *error);
} moc__generator;

/* The kinds [*count], in the order in which help lists them. Static. */
const moc__generator *moc__generators(int *count);

/* The kind of that name, or NULL. */
const moc__generator *moc__find_generator(const char *name);

/* The place of an option in generator->options, or -1. */
int moc__find_generator_option(const moc__generator *generator, const char *name);

/* The default of every option to values [generator->n_options]. */
void moc__generator_defaults(const moc__generator *generator, int64_t *values);

/* Make a graph. `values` [generator->n_options] in the order of the options; NULL: the defaults. The graph's name
 * tells the kind, the values that differ from the defaults and the seed where it matters ("unet batch=4"). INVALID_ARGUMENT, `place` the
 * option: a value out of range or options that do not fit together. Also the builder's errors. */
moc_status moc__generate(const moc__generator *generator, const int64_t *values, uint64_t seed,
                         const moc_allocator *allocator, moc_graph **graph, moc_error *error);

/* Most options that any generator has: room enough for `values`. */
#define MOC__MAX_GENERATOR_OPTIONS 16

#endif
