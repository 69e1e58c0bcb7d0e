/* What pictures and pages share: numbers, names, scales, the frame. Coordinates and figures are printed from integers, so
 * that no locale interferes. */
#ifndef MOC_REPORT_DRAWING_H
#define MOC_REPORT_DRAWING_H

#include "base/base.h"

/* Of a picture, in its units; the drawing itself lies between LEFT and RIGHT, TOP and BOTTOM. */
enum {
  MOC__SVG_WIDTH = 960,
  MOC__SVG_HEIGHT = 520,
  MOC__SVG_LEFT = 92,
  MOC__SVG_RIGHT = 934,
  MOC__SVG_TOP = 112,
  MOC__SVG_BOTTOM = 436,
  MOC__SVG_LONGEST_NAME = 70 /* characters of the graph's name that are shown */
};

/* Told apart by colour-blind readers. */
#define MOC__SVG_BEFORE     "#7f7f7f"
#define MOC__SVG_AFTER      "#0072b2"
#define MOC__SVG_BUDGET     "#d55e00"
#define MOC__SVG_RECOMPUTED "#882255"

/* `value` >= 0 with at most `decimals` decimals, zeros at the end left out. */
void moc__svg_number(moc__text *text, double value, int decimals);
/* The power of 1024 in which `bytes` are best read, and its name. */
int moc__svg_unit(double bytes);
const char *moc__svg_unit_name(int unit);
/* "12.56 GiB". */
void moc__svg_bytes(moc__text *text, int64_t bytes);
/* Text of others, at most `most` characters of it. What XML does not allow becomes a question mark. */
void moc__svg_escaped(moc__text *text, const char *other, int most);
/* The least of 1, 2, 5, 10, 20, ... times `least` that cuts `range` into at most `most`. */
double moc__svg_step(double range, int most, double least);
/* Grid lines across the drawing and their labels, at each `step` of 0..range: numbers with at most so many decimals, and
 * `unit` behind all but 0. */
void moc__svg_levels(moc__text *text, double range, double step, int decimals, const char *unit);
/* The start of a picture: its element, its title (a phrase, after the graph's name), its heading. */
void moc__svg_open(moc__text *text, const char *name, const char *title);

#endif
