/* Budgets as people write them, in exact decimal arithmetic.
 *
 * A share rounds up: 80% of a peak of 46319 is 37056, since 37055.2 bytes of memory do not exist and the share names
 * the least budget that is still at least so much. A fraction of a unit rounds down: nobody who has 12.3 GB has a
 * byte more. Numbers have at most 18 digits, so that products with a unit or a peak fit in 128 bits. */
#include "cli/cli.h"

#include "base/wide.h"

#include <inttypes.h>
#include <strings.h>

#define MOST_DIGITS 18

typedef struct unit {
  const char *name;
  uint64_t bytes;
} unit;

static const unit UNITS[] = {
    {"B", 1},
    {"kB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
    {"PB", UINT64_C(1000000000000000)},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"PiB", UINT64_C(1) << 50},
};

/* Upper and lower case are not told apart: no one means millibytes. */
static const unit *find_unit(const char *name) {
  for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
    if (strcasecmp(name, UNITS[i].name) == 0) return &UNITS[i];
  return NULL;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool cli_budget_read(const char *text, cli_budget *budget, char *problem, size_t size) {
  if (text[0] == '-') {
    snprintf(problem, size, "a budget cannot be negative");
    return false;
  }
  cli_budget result = {.digits = 0, .divisor = 1, .unit = 1};
  const char *at = text;
  int count = 0;
  int significant = 0;
  bool fraction = false;
  for (; is_digit(*at) || (*at == '.' && !fraction); at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    count++;
    if (result.digits > 0 || *at != '0') significant++;
    if (significant > MOST_DIGITS || (fraction && result.divisor >= UINT64_C(1000000000000000))) {
      snprintf(problem, size, "it has too many digits");
      return false;
    }
    result.digits = result.digits * 10 + (uint64_t)(*at - '0');
    if (fraction) result.divisor *= 10;
  }
  if (count == 0) {
    snprintf(problem, size, "it does not begin with a number");
    return false;
  }
  while (*at == ' ') at++;
  if (strcmp(at, "%") == 0) {
    result.share = true;
    if (result.digits == 0) {
      snprintf(problem, size, "a share has to be above 0%%");
      return false;
    }
  } else if (*at == '\0') {
    if (fraction) {
      snprintf(problem, size, "there is no fraction of a byte, and no unit follows");
      return false;
    }
  } else {
    const unit *named = find_unit(at);
    if (named == NULL) {
      if (strlen(at) == 1 && strchr("kKmMgGtTpP", *at) != NULL)
        snprintf(problem, size, "the unit \"%s\" could mean %ciB (powers of 1024) or %cB (powers of 1000)", at,
                 *at & ~0x20, *at & ~0x20);
      else
        snprintf(problem, size,
                 "\"%.40s\" is not a unit: expected B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB or %%", at);
      return false;
    }
    result.unit = named->bytes;
    if (fraction && result.unit == 1) {
      snprintf(problem, size, "there is no fraction of a byte");
      return false;
    }
  }
  *budget = result;
  return true;
}

bool cli_budget_bytes(const cli_budget *budget, int64_t baseline_peak, int64_t *bytes) {
  moc__wide value;
  if (budget->share) {
    moc__wide divisor = (moc__wide)budget->divisor * 100;
    value = ((moc__wide)budget->digits * (uint64_t)baseline_peak + divisor - 1) / divisor;
  } else {
    value = (moc__wide)budget->digits * budget->unit / budget->divisor;
  }
  if (value > INT64_MAX) return false;
  *bytes = (int64_t)value;
  return true;
}
