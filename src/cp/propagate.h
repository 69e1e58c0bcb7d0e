/* The two constraint kinds of the engine, one file each: clauses.c and rows.c. */
#ifndef MOC_CP_PROPAGATE_H
#define MOC_CP_PROPAGATE_H

#include "cp/engine.h"

/* Make an open literal true. At level 0 the taint of what made it so is noted. */
void moc__enqueue(moc__engine *engine, moc__lit literal, moc__reason reason);

/* Until nothing more follows; false on a conflict, which is then in conflict[]. */
bool moc__propagate(moc__engine *engine);

/* --- clauses.c --- */

static inline moc__clause *moc__clause_at(moc__engine *engine, int64_t clause) {
  return (moc__clause *)(void *)(engine->arena + clause); /* NOLINT(bugprone-casting-through-void) */
}
/* Keep a clause of at least two literals, the first two to be watched; glue 0: for good. -1 when memory is out. */
int64_t moc__store_clause(moc__engine *engine, const moc__lit *literals, int64_t count, int32_t glue, bool tainted);
/* What follows from `literal` being true. False on a conflict. */
bool moc__propagate_clauses(moc__engine *engine, moc__lit literal);
/* At level 0: throw away the less useful half of the learned clauses. */
void moc__reduce_clauses(moc__engine *engine);
/* At level 0: close the gaps that dead clauses leave. */
void moc__collect_clauses(moc__engine *engine);

/* --- rows.c --- */

/* Count a literal that has become true. */
void moc__rows_count(moc__engine *engine, moc__lit literal);
/* Undo that for the literals of the trail from place `keep` on. */
void moc__rows_forget(moc__engine *engine, int32_t keep);
/* What follows from the rows that were queued. False on a conflict. */
bool moc__propagate_rows(moc__engine *engine);
void moc__queue_all_rows(moc__engine *engine);
/* Why a row made `literal` true: false literals to conflict[]. */
void moc__row_explain(moc__engine *engine, int32_t index, moc__lit literal);

#endif
