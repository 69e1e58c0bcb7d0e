/* The module: its functions, types and constants, and what the other files share. */
#include "core.h"

PyObject *core_raise(core_state *state, const moc_error *error) {
  if (error->status == MOC_OUT_OF_MEMORY) return PyErr_NoMemory();
  PyObject *text = NULL;
  if (error->line > 0)
    text = PyUnicode_FromFormat("line %lld, column %lld: %s", (long long)error->line, (long long)error->column,
                                error->message);
  else if (error->place[0] != '\0')
    text = PyUnicode_FromFormat("%s: %s", error->place, error->message);
  else
    text = PyUnicode_FromString(error->message);
  if (text == NULL) return NULL;
  PyObject *raised = PyObject_CallFunctionObjArgs(state->error_type, text, NULL);
  Py_DECREF(text);
  if (raised == NULL) return NULL;
  PyObject *status = PyUnicode_FromString(moc_status_text(error->status));
  PyObject *place = PyUnicode_FromString(error->place);
  PyObject *line = PyLong_FromLongLong(error->line);
  PyObject *column = PyLong_FromLongLong(error->column);
  if (status != NULL && place != NULL && line != NULL && column != NULL &&
      PyObject_SetAttrString(raised, "status", status) == 0 &&
      PyObject_SetAttrString(raised, "place", place) == 0 && PyObject_SetAttrString(raised, "line", line) == 0 &&
      PyObject_SetAttrString(raised, "column", column) == 0)
    PyErr_SetObject(state->error_type, raised);
  Py_XDECREF(status);
  Py_XDECREF(place);
  Py_XDECREF(line);
  Py_XDECREF(column);
  Py_DECREF(raised);
  return NULL;
}

PyObject *core_name(const char *name, bool is_integer) {
  if (is_integer) return PyLong_FromString(name, NULL, 10);
  if (name[0] == '\0') Py_RETURN_NONE;
  return PyUnicode_FromString(name);
}

graph_object *core_as_graph(core_state *state, PyObject *object) {
  if (PyObject_TypeCheck(object, state->graph_type)) return (graph_object *)object;
  PyErr_SetString(PyExc_TypeError, "expected a moccasin._core.Graph");
  return NULL;
}

plan_object *core_as_plan(core_state *state, PyObject *object) {
  if (PyObject_TypeCheck(object, state->plan_type)) return (plan_object *)object;
  PyErr_SetString(PyExc_TypeError, "expected a moccasin._core.Plan");
  return NULL;
}

/* --- Lists --- */

/* Put `value`, whose reference is taken over, into a new list; false with an exception set. */
static bool put(PyObject *list, int64_t index, PyObject *value) {
  return value != NULL && PyList_SetItem(list, (Py_ssize_t)index, value) == 0;
}

PyObject *core_int32_list(const int32_t *items, int64_t count) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (int64_t i = 0; list != NULL && i < count; i++)
    if (!put(list, i, PyLong_FromLong(items[i]))) Py_CLEAR(list);
  return list;
}

PyObject *core_int64_list(const int64_t *items, int64_t count) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (int64_t i = 0; list != NULL && i < count; i++)
    if (!put(list, i, PyLong_FromLongLong(items[i]))) Py_CLEAR(list);
  return list;
}

PyObject *core_interval_list(const moc_interval *items, int64_t count) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (int64_t i = 0; list != NULL && i < count; i++) {
    PyObject *interval =
        Py_BuildValue("(iLL)", items[i].tensor, (long long)items[i].start, (long long)items[i].end);
    if (!put(list, i, interval)) Py_CLEAR(list);
  }
  return list;
}

/* --- The module --- */

core_state *core_get_state(PyObject *module) {
  return PyModule_GetState(module);
}

static PyMethodDef functions[] = {
    {"graph_build", core_graph_build, METH_VARARGS,
     "graph_build(name, operations, tensors, reads, order) -> Graph"},
    {"graph_read", core_graph_read, METH_VARARGS, "graph_read(text) -> (Graph, format)"},
    {"graph_write", core_graph_write, METH_VARARGS, "graph_write(graph, format) -> bytes"},
    {"plan_read", core_plan_read, METH_VARARGS, "plan_read(graph, text) -> Plan"},
    {"plan_write", core_plan_write, METH_VARARGS, "plan_write(plan, with_times) -> bytes"},
    {"report_svg", core_report_svg, METH_VARARGS, "report_svg(plan) -> bytes"},
    {"evaluate", core_evaluate, METH_VARARGS, "evaluate(graph, sequence) -> (duration, peak, memory, intervals)"},
    {"verify", core_verify, METH_VARARGS,
     "verify(plan) -> (duration, peak, peak step, baseline peak, baseline duration)"},
    {"solve", core_solve, METH_VARARGS, "solve(graph, budget, options, progress) -> (Plan, interrupted)"},
    {NULL, NULL, 0, NULL}};

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec) {
  PyObject *type = PyType_FromSpec(spec);
  if (type == NULL) return NULL;
  if (PyModule_AddType(module, (PyTypeObject *)type) != 0) Py_CLEAR(type);
  return (PyTypeObject *)type;
}

/* Add a value, whose reference is taken over. */
static bool add_constant(PyObject *module, const char *name, PyObject *value) {
  if (value == NULL) return false;
  bool added = PyModule_AddObjectRef(module, name, value) == 0;
  Py_DECREF(value);
  return added;
}

static int execute(PyObject *module) {
  core_state *state = core_get_state(module);
  state->graph_type = add_type(module, &core_graph_spec);
  state->plan_type = add_type(module, &core_plan_spec);
  if (state->graph_type == NULL || state->plan_type == NULL) return -1;
  state->error_type = PyErr_NewExceptionWithDoc(
      "moccasin.Error",
      "What the library refused.\n\n"
      "Attributes\n----------\n"
      "status : str\n    The kind of mistake.\n"
      "place : str\n    Where it is, a path such as ``nodes[3].duration``; empty when there is none.\n"
      "line, column : int\n    For text that is not JSON; from 1, else 0.\n",
      PyExc_ValueError, NULL);
  if (state->error_type == NULL || PyModule_AddObjectRef(module, "Error", state->error_type) != 0) return -1;
  bool added = add_constant(module, "OPTIONS", core_option_table()) &&
               add_constant(module, "VERSION", PyUnicode_FromString(moc_version()));
  return added ? 0 : -1;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  core_state *state = core_get_state(module);
  Py_VISIT(state->graph_type);
  Py_VISIT(state->plan_type);
  Py_VISIT(state->error_type);
  return 0;
}

static int clear(PyObject *module) {
  core_state *state = core_get_state(module);
  Py_CLEAR(state->graph_type);
  Py_CLEAR(state->plan_type);
  Py_CLEAR(state->error_type);
  return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, CORE_SLOT(execute)}, {0, NULL}};

static PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                 .m_name = "moccasin._core",
                                 .m_doc = "The planner's C library. Use the package moccasin instead.",
                                 .m_size = sizeof(core_state),
                                 .m_methods = functions,
                                 .m_slots = slots,
                                 .m_traverse = traverse,
                                 .m_clear = clear};

PyMODINIT_FUNC PyInit__core(void); /* Python looks it up by its name */
PyMODINIT_FUNC PyInit__core(void) {
  return PyModuleDef_Init(&definition);
}
