/* A solve without Python's lock. Now and then it is taken to report progress and to look for signals; Ctrl-C ends the
 * solve with the best plan so far, and so does an exception of the progress function, which is then raised. */
#include "core.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* --- Options --- */

/* What a row's values are in Python, by kind. */
#define OBJECT_INT(value)    PyLong_FromLongLong(value)
#define OBJECT_UINT64(value) PyLong_FromUnsignedLongLong(value)
#define OBJECT_REAL(value)   PyFloat_FromDouble(value)
#define OBJECT_ORDER(value)  PyUnicode_FromString(moc_order_word((moc_order)(value)))

static bool append(PyObject *list, PyObject *row) {
  if (row == NULL) return false;
  bool appended = PyList_Append(list, row) == 0;
  Py_DECREF(row);
  return appended;
}

PyObject *core_option_table(void) {
  PyObject *list = PyList_New(0);
#define MOC_OPTION(kind, name, metavar, value, low, high, help)                                                    \
  if (list != NULL && !append(list, Py_BuildValue("(sssNNNs)", #name, #kind, metavar, OBJECT_##kind(value),        \
                                                  OBJECT_##kind(low), OBJECT_##kind(high), help)))                 \
    Py_CLEAR(list);
#include "options.def"
#undef MOC_OPTION
  if (list == NULL) return NULL;
  PyObject *table = PyList_AsTuple(list);
  Py_DECREF(list);
  return table;
}

/* Values from Python, by kind; false with an exception set. Ranges are the library's to check. */
static bool read_INT(const char *name, PyObject *value, long long *result) {
  (void)name;
  *result = PyLong_AsLongLong(value);
  return !PyErr_Occurred();
}

static bool read_UINT64(const char *name, PyObject *value, unsigned long long *result) {
  (void)name;
  *result = PyLong_AsUnsignedLongLong(value);
  return !PyErr_Occurred();
}

static bool read_REAL(const char *name, PyObject *value, double *result) {
  (void)name;
  *result = PyFloat_AsDouble(value);
  return !PyErr_Occurred();
}

static bool read_ORDER(const char *name, PyObject *value, moc_order *result) {
  for (moc_order order = MOC_ORDER_INPUT; moc_order_word(order) != NULL; order++)
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, moc_order_word(order)) == 0) {
      *result = order;
      return true;
    }
  PyErr_Format(PyExc_ValueError, "%s must be \"input\" or \"auto\", not %R", name, value);
  return false;
}

#define READ_AS_INT    long long
#define READ_AS_UINT64 unsigned long long
#define READ_AS_REAL   double
#define READ_AS_ORDER  moc_order

/* A whole number that its member cannot hold would lose its upper half: told apart by converting back. */
#define SET_INT(name, number)                                                                                      \
  if ((options->name = (__typeof__(options->name))(number)) != (number)) {                                         \
    PyErr_Format(PyExc_ValueError, "%s is out of range: %lld", #name, (number));                                   \
    return false;                                                                                                  \
  }
#define SET_UINT64(name, number) options->name = (number);
#define SET_REAL(name, number)   options->name = (number);
#define SET_ORDER(name, number)  options->name = (number);

static bool read_options(PyObject *dict, moc_solve_options *options) {
#define MOC_OPTION(kind, name, metavar, initial, low, high, help)                                                  \
  {                                                                                                                \
    PyObject *value = PyDict_GetItemString(dict, #name);                                                           \
    if (value != NULL) {                                                                                           \
      READ_AS_##kind number;                                                                                       \
      if (!read_##kind(#name, value, &number)) return false;                                                       \
      SET_##kind(name, number)                                                                                     \
    }                                                                                                              \
  }
#include "options.def"
#undef MOC_OPTION
  return true;
}

/* --- The solve --- */

typedef struct solve {
  PyObject *progress; /* borrowed; NULL: none */
  pthread_t caller;   /* signals are looked for in the thread that called */
  double last_look;   /* of that thread */
  atomic_bool stop;
  bool interrupted;                   /* by Ctrl-C; written with the lock held */
  PyObject *type, *value, *traceback; /* an exception to raise when the solve has ended */
} solve;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* An exception is pending: Ctrl-C or a failure. With the lock held. */
static void take_exception(solve *s) {
  if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
    PyErr_Clear();
    s->interrupted = true;
  } else if (s->type == NULL) {
    PyErr_Fetch(&s->type, &s->value, &s->traceback);
  } else {
    PyErr_Clear();
  }
  atomic_store(&s->stop, true);
}

static bool should_stop(void *user) {
  const double seconds_between_looks = 0.05;
  solve *s = user;
  if (atomic_load(&s->stop)) return true;
  if (!pthread_equal(pthread_self(), s->caller)) return false;
  double now = seconds();
  if (now - s->last_look < seconds_between_looks) return false;
  s->last_look = now;
  PyGILState_STATE held = PyGILState_Ensure();
  if (PyErr_CheckSignals() != 0) take_exception(s);
  PyGILState_Release(held);
  return atomic_load(&s->stop);
}

static void on_progress(void *user, const moc_progress *now) {
  solve *s = user;
  if (atomic_load(&s->stop)) return;
  PyGILState_STATE held = PyGILState_Ensure();
  PyObject *done = PyObject_CallFunction(s->progress, "dNNLLLLL", now->seconds, PyBool_FromLong(now->improved),
                                         PyBool_FromLong(now->has_plan), (long long)now->total_duration,
                                         (long long)now->peak_memory, (long long)now->lower_bound,
                                         (long long)now->least_peak, (long long)now->moves);
  if (done == NULL) take_exception(s);
  Py_XDECREF(done);
  PyGILState_Release(held);
}

PyObject *core_solve(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL, *dict = NULL, *progress = NULL;
  long long budget = 0;
  if (!PyArg_ParseTuple(arguments, "OLO!O", &object, &budget, &PyDict_Type, &dict, &progress)) return NULL;
  graph_object *graph = core_as_graph(state, object);
  if (graph == NULL) return NULL;
  solve s = {.progress = progress == Py_None ? NULL : progress, .caller = pthread_self()};
  moc_solve_options options;
  moc_solve_options_init(&options);
  if (!read_options(dict, &options)) return NULL;
  options.budget = budget;
  options.should_stop = should_stop;
  options.on_progress = s.progress == NULL ? NULL : on_progress;
  options.user = &s;
  moc_plan *plan = NULL;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status = moc_solve(graph->graph, &options, NULL, &plan, &error);
  Py_END_ALLOW_THREADS if (s.type != NULL) {
    if (status == MOC_OK) moc_plan_destroy(plan);
    PyErr_Restore(s.type, s.value, s.traceback);
    return NULL;
  }
  if (status != MOC_OK) return core_raise(state, &error);
  PyObject *result = core_new_plan(state, graph, plan);
  if (result == NULL) return NULL;
  return Py_BuildValue("(NN)", result, PyBool_FromLong(s.interrupted));
}
