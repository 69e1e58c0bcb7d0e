/* A proof by cases as a certificate; see branching.h. Parts that no leaf uses are left out. O(nodes and multipliers). */
#include "bounds/branching_tree.h"

static void write_part(const moc__branching *b, const moc__branch_part *p, moc_certificate *c) {
  const moc__retain *r = &b->retain;
  const moc__staged *staged = r->staged;
  int64_t k = 0;
  c->parts[c->n_parts++] = c->n_weights;
  for (int64_t i = 0; i < p->n_weights; i++) {
    const moc__retain_event *event = &r->events[p->weights[i].event];
    for (; k < p->n_shares; k++) {
      const moc__retain_support *s = &r->supports[b->index_of[p->shares[k].support]];
      const moc__retain_hold *h = &r->holds[s->hold];
      if (h->event != p->weights[i].event) break;
      int32_t last = r->ops[s->reader].intervals[s->read].last;
      c->shares[c->n_shares++] = (moc_bound_share){.weight = c->n_weights,
                                                   .tensor = h->tensor < 0 ? MOC_NONE : staged->tensor[h->tensor],
                                                   .reader = staged->order[s->reader],
                                                   .last = staged->order[last],
                                                   .share = p->shares[k].share};
    }
    c->weights[c->n_weights++] =
        (moc_bound_weight){staged->order[event->place], staged->order[event->stage], p->weights[i].weight};
  }
}

/* Depth first, where some start is first. number[]: of each part in the certificate. */
static void write_branches(const moc__branching *b, const int64_t *number, moc_certificate *c) {
  const moc__staged *staged = b->retain.staged;
  for (int64_t i = 0; i >= 0;) {
    const moc__branch_node *x = &b->nodes[i];
    moc_bound_branch *to = &c->branches[c->n_branches++];
    if (x->below >= 0) {
      *to = (moc_bound_branch){staged->order[x->branch.place], staged->order[x->branch.first],
                               staged->order[x->branch.last], 0};
      i = x->below;
      continue;
    }
    *to = (moc_bound_branch){MOC_NONE, MOC_NONE, MOC_NONE, number[x->part]};
    while (i >= 0 && (b->nodes[i].above < 0 || !b->nodes[i].runs)) i = b->nodes[i].above;
    if (i >= 0) i++; /* the other answer */
  }
}

void moc__branching_certify(const moc__branching *b, moc_certificate *certificate) {
  const moc__staged *staged = b->retain.staged;
  int64_t extra = moc__branching_extra(b), weights = 0, shares = 0, parts = 0;
  if (b->failed || !b->laid_out || extra > MOC_MAX_TOTAL - staged->total_duration ||
      staged->total_duration + extra <= certificate->bound)
    return;
  for (int64_t i = 0; i < b->n_parts; i++) {
    if (b->parts[i].users <= 0) continue;
    parts++;
    weights += b->parts[i].n_weights;
    shares += b->parts[i].n_shares;
  }
  moc_certificate c = {.bound = staged->total_duration + extra,
                       .kind = MOC_CERTIFICATE_BRANCHING,
                       .max_computes = b->retain.single ? 2 : 0,
                       .shift = b->shift,
                       .weights = MOC__NEW(&b->allocator, weights, moc_bound_weight),
                       .shares = MOC__NEW(&b->allocator, shares, moc_bound_share),
                       .parts = MOC__NEW(&b->allocator, parts, int64_t),
                       .branches = MOC__NEW(&b->allocator, b->n_nodes, moc_bound_branch)};
  int64_t *number = MOC__NEW(&b->allocator, b->n_parts, int64_t);
  bool room = c.weights != NULL && c.shares != NULL && c.parts != NULL && c.branches != NULL && number != NULL;
  for (int64_t i = 0; i < b->n_parts && room; i++) {
    number[i] = c.n_parts;
    if (b->parts[i].users > 0) write_part(b, &b->parts[i], &c);
  }
  if (room) write_branches(b, number, &c);
  moc__release(&b->allocator, number);
  if (room) {
    moc__certificate_release(certificate, &b->allocator);
    *certificate = c;
  } else {
    moc__certificate_release(&c, &b->allocator);
  }
}
