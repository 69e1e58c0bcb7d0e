/* Graphs: built from lists, looked at, read and written. */
#include "core.h"

#include <inttypes.h>
#include <moccasin/moccasin_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Building --- */

/* A name from Python: an int of 64 bits, a str, or None. The text lives as long as `object` and `digits` do. */
static bool read_name(PyObject *object, char digits[24], const char **name, bool *is_integer) {
  *name = NULL;
  *is_integer = false;
  if (object == Py_None) return true;
  if (PyUnicode_Check(object)) {
    Py_ssize_t length = 0;
    *name = PyUnicode_AsUTF8AndSize(object, &length);
    if (*name != NULL && strlen(*name) != (size_t)length) {
      PyErr_SetString(PyExc_ValueError, "a name must not contain a null character");
      return false;
    }
    return *name != NULL;
  }
  if (PyLong_Check(object)) {
    long long value = PyLong_AsLongLong(object);
    if (value == -1 && PyErr_Occurred()) return false;
    snprintf(digits, 24, "%lld", value);
    *name = digits;
    *is_integer = true;
    return true;
  }
  PyErr_SetString(PyExc_TypeError, "a name must be a str or an int");
  return false;
}

/* Call `add` for every tuple of a list; false with an exception set. */
static bool for_each(core_state *state, moc_builder *builder, PyObject *list, const char *what,
                     bool (*add)(core_state *state, moc_builder *builder, PyObject *tuple)) {
  if (!PyList_Check(list)) {
    PyErr_Format(PyExc_TypeError, "%s must be a list", what);
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
    PyObject *tuple = PyList_GetItem(list, i);
    if (tuple == NULL || !PyTuple_Check(tuple)) {
      PyErr_Format(PyExc_TypeError, "%s must be a list of tuples", what);
      return false;
    }
    if (!add(state, builder, tuple)) return false;
  }
  return true;
}

static bool add_operation(core_state *state, moc_builder *builder, PyObject *tuple) {
  PyObject *name = NULL, *label = NULL;
  long long duration = 0, workspace = 0;
  int compute_once = 0;
  if (!PyArg_ParseTuple(tuple, "OOLLp", &name, &label, &duration, &workspace, &compute_once)) return false;
  char digits[24], label_digits[24];
  bool label_is_integer = false;
  moc_operation operation = {.duration = duration, .workspace = workspace, .compute_once = compute_once != 0};
  if (!read_name(name, digits, &operation.name, &operation.name_is_integer)) return false;
  if (!read_name(label, label_digits, &operation.label, &label_is_integer)) return false;
  moc_error error;
  if (moc_builder_add_operation(builder, &operation, NULL, &error) == MOC_OK) return true;
  core_raise(state, &error);
  return false;
}

static bool add_tensor(core_state *state, moc_builder *builder, PyObject *tuple) {
  PyObject *name = NULL;
  long long size = 0;
  int producer = 0, base = 0, keep = 0;
  if (!PyArg_ParseTuple(tuple, "OLiip", &name, &size, &producer, &base, &keep)) return false;
  char digits[24];
  moc_tensor_spec spec = {.size = size, .producer = producer, .base = base, .keep = keep != 0};
  if (!read_name(name, digits, &spec.name, &spec.name_is_integer)) return false;
  moc_error error;
  if (moc_builder_add_tensor(builder, &spec, NULL, &error) == MOC_OK) return true;
  core_raise(state, &error);
  return false;
}

static bool add_read(core_state *state, moc_builder *builder, PyObject *tuple) {
  int op = 0, tensor = 0;
  if (!PyArg_ParseTuple(tuple, "ii", &op, &tensor)) return false;
  moc_error error;
  if (moc_builder_add_read(builder, op, tensor, &error) == MOC_OK) return true;
  core_raise(state, &error);
  return false;
}

static moc_graph *build(core_state *state, moc_builder *builder, PyObject *arguments) {
  const char *name = NULL, *order = NULL;
  PyObject *operations = NULL, *tensors = NULL, *reads = NULL;
  if (!PyArg_ParseTuple(arguments, "zOOOs", &name, &operations, &tensors, &reads, &order)) return NULL;
  moc_input_order kind = strcmp(order, "generations") == 0 ? MOC_ORDER_GENERATIONS : MOC_ORDER_AS_ADDED;
  moc_error error;
  moc_status status = moc_builder_set_name(builder, name, &error);
  if (status == MOC_OK) status = moc_builder_set_order(builder, kind, NULL, 0, &error);
  if (status != MOC_OK) {
    core_raise(state, &error);
    return NULL;
  }
  if (!for_each(state, builder, operations, "operations", add_operation) ||
      !for_each(state, builder, tensors, "tensors", add_tensor) ||
      !for_each(state, builder, reads, "reads", add_read))
    return NULL;
  moc_graph *graph = NULL;
  if (moc_builder_build(builder, &graph, &error) != MOC_OK) core_raise(state, &error);
  return graph;
}

PyObject *core_graph_build(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  moc_builder *builder = moc_builder_create(NULL);
  if (builder == NULL) return PyErr_NoMemory();
  moc_graph *graph = build(state, builder, arguments);
  moc_builder_destroy(builder);
  return graph == NULL ? NULL : core_new_graph(state, graph);
}

/* --- Files --- */

PyObject *core_graph_read(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  const char *text = NULL;
  Py_ssize_t length = 0;
  if (!PyArg_ParseTuple(arguments, "y#", &text, &length)) return NULL;
  moc_graph *graph = NULL;
  moc_graph_format format = MOC_FORMAT_MOCCASIN;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status = moc_graph_read_json(text, (size_t)length, NULL, &graph, &format, &error);
  Py_END_ALLOW_THREADS if (status != MOC_OK) return core_raise(state, &error);
  PyObject *object = core_new_graph(state, graph);
  if (object == NULL) return NULL;
  return Py_BuildValue("(Ns)", object, format == MOC_FORMAT_NODE_LINK ? "node-link" : "moccasin");
}

PyObject *core_graph_write(PyObject *module, PyObject *arguments) {
  core_state *state = core_get_state(module);
  PyObject *object = NULL;
  const char *name = NULL;
  if (!PyArg_ParseTuple(arguments, "Os", &object, &name)) return NULL;
  graph_object *graph = core_as_graph(state, object);
  if (graph == NULL) return NULL;
  moc_graph_format format;
  if (strcmp(name, "moccasin") == 0)
    format = MOC_FORMAT_MOCCASIN;
  else if (strcmp(name, "node-link") == 0)
    format = MOC_FORMAT_NODE_LINK;
  else if (strcmp(name, "dot") == 0)
    format = MOC_FORMAT_DOT;
  else
    return PyErr_Format(PyExc_ValueError, "the format must be moccasin, node-link or dot, not %s", name);
  char *text = NULL;
  size_t length = 0;
  moc_error error;
  moc_status status;
  Py_BEGIN_ALLOW_THREADS status = moc_graph_write(graph->graph, format, NULL, &text, &length, &error);
  Py_END_ALLOW_THREADS if (status != MOC_OK) return core_raise(state, &error);
  PyObject *bytes = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
  free(text);
  return bytes;
}

/* --- The type --- */

PyObject *core_new_graph(core_state *state, moc_graph *graph) {
  graph_object *self = PyObject_New(graph_object, state->graph_type);
  if (self == NULL) {
    moc_graph_destroy(graph);
    return NULL;
  }
  self->graph = graph;
  return (PyObject *)self;
}

static void destroy(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  moc_graph_destroy(((graph_object *)object)->graph);
  PyObject_Free(object);
  Py_DECREF(type);
}

static PyObject *graph_name(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  return core_name(moc_graph_name(((graph_object *)self)->graph), false);
}

static PyObject *operation_tuple(const moc_graph *graph, moc_op op) {
  moc_tensor_list inputs = moc_graph_op_inputs(graph, op);
  moc_tensor_list outputs = moc_graph_op_outputs(graph, op);
  return Py_BuildValue(
      "(NsLLNNN)", core_name(moc_graph_op_name(graph, op), moc_graph_op_name_is_integer(graph, op)),
      moc_graph_op_label(graph, op), (long long)moc_graph_op_duration(graph, op),
      (long long)moc_graph_op_workspace(graph, op), PyBool_FromLong(moc_graph_op_compute_once(graph, op)),
      core_int32_list(inputs.items, inputs.count), core_int32_list(outputs.items, outputs.count));
}

static PyObject *graph_operations(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_graph *graph = ((graph_object *)self)->graph;
  int64_t count = moc_graph_operations(graph);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (int64_t i = 0; list != NULL && i < count; i++) {
    PyObject *tuple = operation_tuple(graph, (moc_op)i);
    if (tuple == NULL || PyList_SetItem(list, (Py_ssize_t)i, tuple) != 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *graph_tensors(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_graph *graph = ((graph_object *)self)->graph;
  int64_t count = moc_graph_tensors(graph);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (moc_tensor t = 0; list != NULL && t < count; t++) {
    PyObject *tuple = Py_BuildValue(
        "(NLiiN)", core_name(moc_graph_tensor_name(graph, t), moc_graph_tensor_name_is_integer(graph, t)),
        (long long)moc_graph_tensor_size(graph, t), moc_graph_tensor_producer(graph, t),
        moc_graph_tensor_base(graph, t), PyBool_FromLong(moc_graph_tensor_keep(graph, t)));
    if (tuple == NULL || PyList_SetItem(list, t, tuple) != 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *graph_input_order(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  moc_op_list order = moc_graph_input_order(((graph_object *)self)->graph);
  return core_int32_list(order.items, order.count);
}

static PyObject *graph_facts(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_graph *graph = ((graph_object *)self)->graph;
  moc_graph_facts facts;
  moc_error error;
  if (moc_graph_get_facts(graph, &facts, &error) != MOC_OK) {
    PyErr_SetString(error.status == MOC_OUT_OF_MEMORY ? PyExc_MemoryError : PyExc_RuntimeError, error.message);
    return NULL;
  }
  return Py_BuildValue("(LLLLi)", (long long)facts.baseline_peak, (long long)facts.baseline_peak_step,
                       (long long)facts.baseline_duration, (long long)facts.working_set_bound,
                       facts.working_set_op);
}

static PyObject *graph_counts(PyObject *self, PyObject *Py_UNUSED(nothing)) {
  const moc_graph *graph = ((graph_object *)self)->graph;
  return Py_BuildValue("(LLL)", (long long)moc_graph_operations(graph), (long long)moc_graph_tensors(graph),
                       (long long)moc_graph_edges(graph));
}

static PyMethodDef methods[] = {
    {"name", graph_name, METH_NOARGS, NULL},
    {"operations", graph_operations, METH_NOARGS,
     "[(name, label, duration, workspace, compute_once, inputs, outputs), ...]"},
    {"tensors", graph_tensors, METH_NOARGS, "[(name, size, producer, base, keep), ...]"},
    {"input_order", graph_input_order, METH_NOARGS, "[operation, ...]"},
    {"facts", graph_facts, METH_NOARGS,
     "(baseline peak, its step, baseline duration, working-set bound, operation that sets it)"},
    {"counts", graph_counts, METH_NOARGS, "(operations, tensors, edges)"},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_dealloc, CORE_SLOT(destroy)}, {Py_tp_methods, methods}, {0, NULL}};

PyType_Spec core_graph_spec = {.name = "moccasin._core.Graph",
                               .basicsize = sizeof(graph_object),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = slots};
