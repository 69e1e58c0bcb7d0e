/* Plans: looked at, read, written, evaluated, verified, drawn. */
#include "core.h"
#include "report/report.h"

#include <moccasin/moccasin_io.h>
#include <stdlib.h>

PyObject *core_new_plan(core_state *state, graph_object *graph, moc_plan *plan) {
  plan_object *self = PyObject_New(plan_object, state->plan_type);
  if (self == NULL) {
    moc_plan_destroy(plan);
    return NULL;
  }
  self->plan = plan;
  Py_INCREF(graph);
  self->graph = graph;
  return (PyObject *)self;
}

static void destroy(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  plan_object *self = (plan_object *)object;
  moc_plan_destroy(self->plan);
  Py_DECREF(self->graph);
  PyObject_Free(object);
  Py_DECREF(type);
}

/* --- Looking --- */

static PyObject *plan_figures(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_plan *plan = ((plan_object *)self)->plan;
  return Py_BuildValue("{sssLsLsLsLsLsLsssisssKsisLsdsN}", "status", moc_plan_status_word(plan->status), "budget",
                       (long long)plan->budget, "peak_memory", (long long)plan->peak_memory, "baseline_peak_memory",
                       (long long)plan->baseline_peak_memory, "total_duration", (long long)plan->total_duration,
                       "baseline_duration", (long long)plan->baseline_duration, "lower_bound",
                       (long long)plan->lower_bound, "bound_scope", moc_bound_scope_word(plan->bound_scope),
                       "max_computes", plan->max_computes, "order", moc_order_word(plan->order), "seed",
                       (unsigned long long)plan->seed, "threads", plan->threads, "moves", (long long)plan->moves,
                       "solve_seconds", plan->solve_seconds, "reproducible", PyBool_FromLong(plan->reproducible));
}

static PyObject *plan_sequence(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_plan *plan = ((plan_object *)self)->plan;
  return core_int32_list(plan->sequence, plan->length);
}

static PyObject *plan_memory(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_plan *plan = ((plan_object *)self)->plan;
  return core_int64_list(plan->memory, plan->memory == NULL ? 0 : plan->length);
}

static PyObject *plan_intervals(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_plan *plan = ((plan_object *)self)->plan;
  return core_interval_list(plan->intervals, plan->intervals == NULL ? 0 : plan->n_intervals);
}

static PyObject *plan_trace(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_plan *plan = ((plan_object *)self)->plan;
  PyObject *list = PyList_New((Py_ssize_t)plan->n_trace);
  for (int64_t i = 0; list != NULL && i < plan->n_trace; i++) {
    const moc_trace_point *point = &plan->trace[i];
    PyObject *tuple =
        Py_BuildValue("(dLL)", point->seconds, (long long)point->total_duration, (long long)point->lower_bound);
    if (tuple == NULL || PyList_SetItem(list, (Py_ssize_t)i, tuple) != 0) Py_CLEAR(list);
  }
  return list;
}

/* --- Files --- */

PyObject *core_plan_read(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL;
  const char *text = NULL;
  Py_ssize_t length = 0;
  if (!PyArg_ParseTuple(arguments, "Oy#", &object, &text, &length)) return NULL;
  graph_object *graph = core_as_graph(state, object);
  if (graph == NULL) return NULL;
  moc_plan *plan = NULL;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status = moc_plan_read_json(graph->graph, text, (size_t)length, NULL, &plan, &error);
  Py_END_ALLOW_THREADS if (status != MOC_OK) return core_raise(state, &error);
  return core_new_plan(state, graph, plan);
}

PyObject *core_plan_write(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL;
  int with_times = 0;
  if (!PyArg_ParseTuple(arguments, "Op", &object, &with_times)) return NULL;
  plan_object *plan = core_as_plan(state, object);
  if (plan == NULL) return NULL;
  char *text = NULL;
  size_t length = 0;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status =
      moc_plan_write_json(plan->graph->graph, plan->plan, with_times != 0, NULL, &text, &length, &error);
  Py_END_ALLOW_THREADS if (status != MOC_OK) return core_raise(state, &error);
  PyObject *bytes = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
  free(text);
  return bytes;
}

PyObject *core_report_svg(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL;
  if (!PyArg_ParseTuple(arguments, "O", &object)) return NULL;
  plan_object *plan = core_as_plan(state, object);
  if (plan == NULL) return NULL;
  char *text = NULL;
  size_t length = 0;
  moc_error error;
  if (moc__plan_svg(plan->graph->graph, plan->plan, NULL, &text, &length, &error) != MOC_OK)
    return core_raise(state, &error);
  PyObject *bytes = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
  free(text);
  return bytes;
}

/* --- Judging --- */

/* The operations of a list, to be freed; NULL with an exception set. Each is a number of an operation of `graph`. */
static moc_op *read_sequence(PyObject *list, const moc_graph *graph, int64_t *length) {
  if (!PyList_Check(list)) {
    PyErr_SetString(PyExc_TypeError, "a sequence must be a list");
    return NULL;
  }
  *length = PyList_Size(list);
  moc_op *sequence = malloc((size_t)(*length + 1) * sizeof *sequence);
  if (sequence == NULL) {
    PyErr_NoMemory();
    return NULL;
  }
  for (int64_t i = 0; i < *length; i++) {
    long op = PyLong_AsLong(PyList_GetItem(list, (Py_ssize_t)i));
    if (!PyErr_Occurred() && (op < 0 || op >= moc_graph_operations(graph)))
      PyErr_SetString(PyExc_IndexError, "there is no such operation");
    if (PyErr_Occurred()) {
      free(sequence);
      return NULL;
    }
    sequence[i] = (moc_op)op;
  }
  return sequence;
}

PyObject *core_evaluate(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL, *list = NULL;
  if (!PyArg_ParseTuple(arguments, "OO", &object, &list)) return NULL;
  graph_object *graph = core_as_graph(state, object);
  if (graph == NULL) return NULL;
  int64_t length = 0;
  moc_op *sequence = read_sequence(list, graph->graph, &length);
  if (sequence == NULL) return NULL;
  moc_evaluation evaluation;
  moc_error error;
  moc_status status = moc_evaluate(graph->graph, sequence, length, NULL, &evaluation, &error);
  free(sequence);
  if (status != MOC_OK) return core_raise(state, &error);
  PyObject *result = Py_BuildValue("(LLNN)", (long long)evaluation.duration, (long long)evaluation.peak_memory,
                                   core_int64_list(evaluation.memory, evaluation.length),
                                   core_interval_list(evaluation.intervals, evaluation.n_intervals));
  moc_evaluation_release(&evaluation);
  return result;
}

PyObject *core_verify(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL;
  if (!PyArg_ParseTuple(arguments, "O", &object)) return NULL;
  plan_object *plan = core_as_plan(state, object);
  if (plan == NULL) return NULL;
  moc_verdict verdict;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status = moc_verify(plan->graph->graph, plan->plan, NULL, &verdict, &error);
  Py_END_ALLOW_THREADS if (status != MOC_OK) return core_raise(state, &error);
  return Py_BuildValue("(LLLLL)", (long long)verdict.duration, (long long)verdict.peak_memory,
                       (long long)verdict.peak_step, (long long)verdict.baseline_peak_memory,
                       (long long)verdict.baseline_duration);
}

/* --- The type --- */

static PyMethodDef methods[] = {{"figures", plan_figures, METH_NOARGS, "every number of the plan, by name"},
                                {"sequence", plan_sequence, METH_NOARGS, "[operation, ...]"},
                                {"memory", plan_memory, METH_NOARGS, "[bytes at each step, ...]"},
                                {"intervals", plan_intervals, METH_NOARGS, "[(tensor, start, end), ...]"},
                                {"trace", plan_trace, METH_NOARGS, "[(seconds, total duration, lower bound), ...]"},
                                {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_dealloc, CORE_SLOT(destroy)}, {Py_tp_methods, methods}, {0, NULL}};

PyType_Spec core_plan_spec = {.name = "moccasin._core.Plan",
                              .basicsize = sizeof(plan_object),
                              .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              .slots = slots};
