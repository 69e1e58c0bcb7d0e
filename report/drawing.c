/* What pictures and pages share; see drawing.h. */
#include "report/drawing.h"

#include <inttypes.h>
#include <math.h>

void moc__svg_number(moc__text *text, double value, int decimals) {
  int64_t scale = 1;
  if (value >= 1e9) decimals = 0; /* so that nothing overflows */
  if (value >= 9e18) {
    moc__text_printf(text, "%.0f", value);
    return;
  }
  for (int i = 0; i < decimals; i++) scale *= 10;
  int64_t scaled = llround(value * (double)scale);
  moc__text_printf(text, "%" PRId64, scaled / scale);
  int64_t rest = scaled % scale;
  if (rest == 0) return;
  while (rest % 10 == 0) {
    rest /= 10;
    decimals--;
  }
  moc__text_printf(text, ".%0*" PRId64, decimals, rest);
}

static const char *const UNITS[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

int moc__svg_unit(double bytes) {
  int unit = 0;
  while (bytes >= 1024) {
    bytes /= 1024;
    unit++;
  }
  return unit;
}

const char *moc__svg_unit_name(int unit) {
  return UNITS[unit];
}

void moc__svg_bytes(moc__text *text, int64_t bytes) {
  int unit = moc__svg_unit((double)bytes);
  double value = ldexp((double)bytes, -10 * unit);
  moc__svg_number(text, value, unit == 0 ? 0 : value < 100 ? 2 : 1);
  moc__text_printf(text, " %s", UNITS[unit]);
}

void moc__svg_escaped(moc__text *text, const char *other, int most) {
  int characters = 0;
  for (const char *at = other; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    if ((c & 0xc0) != 0x80 && ++characters > most) {
      moc__text_printf(text, "\xe2\x80\xa6");
      return;
    }
    if (c == '<')
      moc__text_printf(text, "&lt;");
    else if (c == '>')
      moc__text_printf(text, "&gt;");
    else if (c == '&')
      moc__text_printf(text, "&amp;");
    else if (c == '"')
      moc__text_printf(text, "&quot;");
    else if (c < 0x20 || c == 0x7f)
      moc__text_printf(text, "?");
    else if (c == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe) {
      moc__text_printf(text, "?"); /* U+FFFE, U+FFFF */
      at += 2;
    } else
      moc__text_add(text, at, 1);
  }
}

double moc__svg_step(double range, int most, double least) {
  static const double FACTORS[] = {1, 2, 5};
  double power = least;
  for (;;) {
    for (int i = 0; i < 3; i++)
      if (range / (FACTORS[i] * power) <= most) return FACTORS[i] * power;
    power *= 10;
  }
}

void moc__svg_levels(moc__text *text, double range, double step, int decimals, const char *unit) {
  const double height = MOC__SVG_BOTTOM - MOC__SVG_TOP;
  int lines = (int)floor(range * 1.000001 / step);
  moc__text_printf(text, "<g stroke=\"#e6e6e6\">\n");
  for (int i = 1; i <= lines; i++) {
    moc__text_printf(text, "<path d=\"M%d ", MOC__SVG_LEFT);
    moc__svg_number(text, MOC__SVG_BOTTOM - height * (i * step) / range, 1);
    moc__text_printf(text, "H%d\"/>\n", MOC__SVG_RIGHT);
  }
  moc__text_printf(text, "</g>\n<g text-anchor=\"end\">\n");
  for (int i = 0; i <= lines; i++) {
    moc__text_printf(text, "<text x=\"%d\" y=\"", MOC__SVG_LEFT - 8);
    moc__svg_number(text, MOC__SVG_BOTTOM - height * (i * step) / range + 4.5, 1);
    moc__text_printf(text, "\">");
    moc__svg_number(text, i * step, decimals);
    moc__text_printf(text, i > 0 ? " %s</text>\n" : "</text>\n", unit);
  }
  moc__text_printf(text, "</g>\n");
}

void moc__svg_open(moc__text *text, const char *name, const char *title) {
  moc__text_printf(
      text,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
      "font-family=\"'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"13\" "
      "fill=\"#333\">\n<title>",
      MOC__SVG_WIDTH, MOC__SVG_HEIGHT, MOC__SVG_WIDTH, MOC__SVG_HEIGHT);
  moc__svg_escaped(text, name[0] == '\0' ? "A graph without name" : name, MOC__SVG_LONGEST_NAME);
  moc__text_printf(text,
                   ": %s</title>\n"
                   "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"36\" font-size=\"19\" "
                   "font-weight=\"bold\" fill=\"#111\">",
                   title, MOC__SVG_WIDTH, MOC__SVG_HEIGHT, MOC__SVG_LEFT);
  if (name[0] == '\0')
    moc__text_printf(text, "%c%s", title[0] & ~0x20, title + 1);
  else
    moc__svg_escaped(text, name, MOC__SVG_LONGEST_NAME);
  moc__text_printf(text, "</text>\n");
}
