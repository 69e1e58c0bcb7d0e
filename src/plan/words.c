/* What plan files call the status of a plan, the scope of its bound and its order. */
#include "base/base.h"

const char *moc_plan_status_word(moc_plan_status status) {
  switch (status) {
  case MOC_PLAN_UNKNOWN:
    return "unknown";
  case MOC_PLAN_FEASIBLE:
    return "feasible";
  case MOC_PLAN_OPTIMAL:
    return "optimal";
  case MOC_PLAN_INFEASIBLE:
    return "infeasible";
  }
  return NULL;
}

const char *moc_bound_scope_word(moc_bound_scope scope) {
  switch (scope) {
  case MOC_SCOPE_ORDER:
    return "order";
  case MOC_SCOPE_ANY:
    return "any";
  }
  return NULL;
}

const char *moc_order_word(moc_order order) {
  switch (order) {
  case MOC_ORDER_INPUT:
    return "input";
  case MOC_ORDER_AUTO:
    return "auto";
  }
  return NULL;
}

moc_bound_scope moc_certificate_scope(const moc_certificate *certificate) {
  bool any = certificate->kind == MOC_CERTIFICATE_ANY_ORDER || certificate->kind == MOC_CERTIFICATE_CUT;
  return any ? MOC_SCOPE_ANY : MOC_SCOPE_ORDER;
}
