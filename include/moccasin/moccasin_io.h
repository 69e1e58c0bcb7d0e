/* moccasin_io.h - graphs and plans as files. The library moccasin-io; the core library needs none of it.
 *
 * The conventions of moccasin.h hold. Formats are described in docs/formats.md. On failure the error's
 * `place` is a path into the document ("links[4].source"), and for text that is not JSON its line and column.
 */
#ifndef MOCCASIN_IO_H
#define MOCCASIN_IO_H

#include <moccasin/moccasin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest file that is read, bytes. */
#define MOC_MAX_FILE_BYTES (INT64_C(2) << 30)

typedef enum moc_graph_format {
  MOC_FORMAT_MOCCASIN,  /* our own JSON: the full model; reads and writes */
  MOC_FORMAT_NODE_LINK, /* networkx node-link JSON as Checkmate writes it: one output for each operation, nothing
                           but durations and sizes; reads and writes */
  MOC_FORMAT_DOT        /* Graphviz, for a look; writes only */
} moc_graph_format;

/* Read a graph from JSON text of either format; the format is told from the content and goes to *format
 * (which may be NULL). PARSE: not JSON; INVALID_GRAPH: JSON that is not a valid graph; OVERFLOW, LIMIT,
 * OUT_OF_MEMORY. */
MOC_API MOC_MUST_CHECK moc_status moc_graph_read_json(const char *text, size_t length,
                                                      const moc_allocator *allocator, moc_graph **graph,
                                                      moc_graph_format *format, moc_error *error);

/* Write a graph as text to *text [*length], NUL-terminated besides, from `allocator`; release it there
 * (free() for NULL). INVALID_ARGUMENT: the format cannot express the graph; the message says what. */
MOC_API MOC_MUST_CHECK moc_status moc_graph_write(const moc_graph *graph, moc_graph_format format,
                                                  const moc_allocator *allocator, char **text, size_t *length,
                                                  moc_error *error);

/* Read a plan of `graph` from JSON text. Only `format`, `version` and `sequence` must be there; what is missing is
 * filled in from an evaluation of the sequence (budget: the peak). Unknown members are ignored. Nothing but
 * the form is judged here: moc_verify judges the content. PARSE: it is no JSON, no plan, of another version or without
 * a sequence; INVALID_PLAN: it does not fit the graph, or a member is malformed; OUT_OF_MEMORY. */
MOC_API MOC_MUST_CHECK moc_status moc_plan_read_json(const moc_graph *graph, const char *text, size_t length,
                                                     const moc_allocator *allocator, moc_plan **plan,
                                                     moc_error *error);

/* Write a plan as JSON (docs/formats.md), as moc_graph_write does. A plan without sequence is written with
 * empty lists and null for peak_memory and total_duration. In a reproducible plan the times are written as
 * 0, so that equal inputs give equal bytes, unless `with_times`. */
MOC_API MOC_MUST_CHECK moc_status moc_plan_write_json(const moc_graph *graph, const moc_plan *plan, bool with_times,
                                                      const moc_allocator *allocator, char **text, size_t *length,
                                                      moc_error *error);

/* Read a whole file ("-": standard input) to *text [*length], NUL-terminated besides. IO, LIMIT (larger than
 * MOC_MAX_FILE_BYTES), OUT_OF_MEMORY. */
MOC_API MOC_MUST_CHECK moc_status moc_read_file(const char *path, const moc_allocator *allocator, char **text,
                                                size_t *length, moc_error *error);

/* Write a whole file or nothing: a temporary file beside it, then a rename. A path that exists and is not a
 * regular file (a pipe, /dev/stdout) is written in place. IO. */
MOC_API MOC_MUST_CHECK moc_status moc_write_file(const char *path, const char *text, size_t length,
                                                 moc_error *error);

#ifdef __cplusplus
}
#endif

#endif /* MOCCASIN_IO_H */
