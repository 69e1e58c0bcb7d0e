/* Proofs by cases over the retention bound: a branch and bound that is written down.
 *
 * Where the retention bound (retain.h) stays below what the constraint program proved, schedules are told apart by whether
 * an operation starts again in some interval of stages, X(q, I), or in none of it, and multipliers of their own prove a
 * bound in each case. The least of all cases is proved. That is a certificate of the kind MOC_CERTIFICATE_BRANCHING, checked
 * by verify/branching.c, which has the proof.
 *
 * Best first: the case with the least bound is divided next, so the bound rises from the first branch on and a certificate
 * can be had at any time. What to branch on are fractions of the relaxation's average solution; the few nearest to a half
 * are tried for some steps of the ascent (strong branching). A case first tries the multipliers of the case above and of its
 * neighbour: parts that are shared make the certificate small, as does leaving out every share that the bound can do without. */
#ifndef MOC_BOUNDS_BRANCHING_H
#define MOC_BOUNDS_BRANCHING_H

#include "bounds/retain.h"

typedef struct moc__branching moc__branching;

/* A proof of one case, with the multipliers and the events and supports of `root`, which is copied. NULL when memory is out. */
moc__branching *moc__branching_create(const moc__retain *root, int32_t max_computes);
void moc__branching_destroy(moc__branching *branching);

/* Divide cases until the extra duration `target` is proved, for about `effort` units of work (a microsecond each). False
 * when there is nothing more to do: it is proved, the certificate is large enough, or memory is out. */
bool moc__branching_run(moc__branching *branching, int64_t target, int64_t effort, bool (*stop)(void *),
                        void *context);

/* Work done so far. */
int64_t moc__branching_work(const moc__branching *branching);

/* The extra duration proved. */
int64_t moc__branching_extra(const moc__branching *branching);

/* *certificate becomes this proof if that proves more. Its arrays are then released and made anew. */
void moc__branching_certify(const moc__branching *branching, moc_certificate *certificate);

#endif
