/* moccasin._core: the public header as Python objects, and nothing more. Everything that can be written in Python is.
 *
 * Built for Python's stable interface (3.10 and later). Objects own what the library hands out: a Graph its
 * moc_graph, a Plan its moc_plan and a reference to its Graph. Both are immutable, so that the lock can be given up
 * while one is read. */
#ifndef MOC_PYTHON_CORE_H
#define MOC_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <moccasin/moccasin.h>

typedef struct graph_object {
  PyObject_HEAD moc_graph *graph;
} graph_object;

typedef struct plan_object {
  PyObject_HEAD moc_plan *plan;
  graph_object *graph;
} plan_object;

/* A function in a slot, which is a void pointer: ISO C leaves the conversion to the platform, POSIX defines it. */
#define CORE_SLOT(function) (__extension__(void *)(function))

/* What a module of this name holds. There is one of it. */
typedef struct core_state {
  PyTypeObject *graph_type;
  PyTypeObject *plan_type;
  PyObject *error_type;
} core_state;

core_state *core_get_state(PyObject *module);

extern PyType_Spec core_graph_spec;
extern PyType_Spec core_plan_spec;

/* Raise what a failed call reported; NULL. */
PyObject *core_raise(core_state *state, const moc_error *error);

/* A name as Python spells it: an int or a str; None for "". */
PyObject *core_name(const char *name, bool is_integer);

/* Argument checks; NULL with TypeError set. */
graph_object *core_as_graph(core_state *state, PyObject *object);
plan_object *core_as_plan(core_state *state, PyObject *object);

/* A list of ints; a list of (tensor, start, end). */
PyObject *core_int32_list(const int32_t *items, int64_t count);
PyObject *core_int64_list(const int64_t *items, int64_t count);
PyObject *core_interval_list(const moc_interval *items, int64_t count);

/* New objects, which take over the graph or plan, also on failure. */
PyObject *core_new_graph(core_state *state, moc_graph *graph);
PyObject *core_new_plan(core_state *state, graph_object *graph, moc_plan *plan);

/* The functions of the module. */
PyObject *core_graph_build(PyObject *module, PyObject *arguments);
PyObject *core_graph_read(PyObject *module, PyObject *arguments);
PyObject *core_graph_write(PyObject *module, PyObject *arguments);
PyObject *core_plan_read(PyObject *module, PyObject *arguments);
PyObject *core_plan_write(PyObject *module, PyObject *arguments);
PyObject *core_report_svg(PyObject *module, PyObject *arguments);
PyObject *core_evaluate(PyObject *module, PyObject *arguments);
PyObject *core_verify(PyObject *module, PyObject *arguments);
PyObject *core_solve(PyObject *module, PyObject *arguments);
/* The rows of options.def: (name, kind, metavar, default, low, high, help) each. */
PyObject *core_option_table(void);

#endif
