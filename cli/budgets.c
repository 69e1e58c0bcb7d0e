/* Lists of budgets as people write them: budgets and ranges with a step, with commas between them.
 *
 * A range goes from its first budget by steps towards its second, which it may reach but not pass, in exact decimal
 * arithmetic: 50%..51%:0.1% has eleven budgets. Its three parts are brought to one denominator; all are shares or none. */
#include "cli/cli.h"

#include "base/wide.h"

#include <stdlib.h>

enum { LONGEST_ITEM = 200 };

/* A budget's number of bytes or percent, times `divisor`, which its own divides. False: it does not fit. */
static bool spread(const cli_budget *b, uint64_t divisor, uint64_t *digits) {
  moc__wide value = (moc__wide)b->digits * b->unit;
  moc__wide factor = divisor / b->divisor;
  if (value > UINT64_MAX || value * factor > INT64_MAX) return false;
  *digits = (uint64_t)(value * factor);
  return true;
}

static bool add(cli_budgets *list, cli_budget budget, char *problem, size_t size) {
  if (list->count == CLI_MOST_BUDGETS) {
    snprintf(problem, size, "more than %d budgets are too many", CLI_MOST_BUDGETS);
    return false;
  }
  list->items[list->count++] = budget;
  return true;
}

static bool add_range(cli_budgets *list, const cli_budget *parts, char *problem, size_t size) {
  uint64_t divisor = 1, number[3];
  for (int i = 0; i < 3; i++) {
    if (parts[i].share != parts[0].share) {
      snprintf(problem, size, "the budgets and the step of a range are either shares or bytes, not both");
      return false;
    }
    if (parts[i].divisor > divisor) divisor = parts[i].divisor;
  }
  for (int i = 0; i < 3; i++) {
    if (spread(&parts[i], divisor, &number[i])) continue;
    snprintf(problem, size, "the numbers of the range have too many digits");
    return false;
  }
  if (number[2] == 0) {
    snprintf(problem, size, "the step has to be above 0");
    return false;
  }
  cli_budget budget = {.share = parts[0].share, .divisor = divisor, .unit = 1};
  uint64_t from = number[0], to = number[1], step = number[2];
  for (uint64_t passed = 0; passed <= (from < to ? to - from : from - to); passed += step) {
    budget.digits = from < to ? from + passed : from - passed;
    if (!add(list, budget, problem, size)) return false;
  }
  return true;
}

/* One number of an item, without the spaces around it. */
static bool read_part(const char *text, size_t length, cli_budget *budget, char *problem, size_t size) {
  char part[LONGEST_ITEM + 1];
  while (length > 0 && *text == ' ') {
    text++;
    length--;
  }
  while (length > 0 && text[length - 1] == ' ') length--;
  snprintf(part, sizeof part, "%.*s", (int)length, text);
  if (length > 0) return cli_budget_read(part, budget, problem, size);
  snprintf(problem, size, "a budget is missing");
  return false;
}

static bool read_item(cli_budgets *list, const char *item, char *problem, size_t size) {
  const char *dots = strstr(item, "..");
  cli_budget parts[3];
  if (dots == NULL) {
    return read_part(item, strlen(item), &parts[0], problem, size) && add(list, parts[0], problem, size);
  }
  const char *second = dots + 2, *colon = strchr(second, ':');
  if (colon == NULL) {
    snprintf(problem, size, "a range needs a step, as in 50%%..100%%:5%%");
    return false;
  }
  return read_part(item, (size_t)(dots - item), &parts[0], problem, size) &&
         read_part(second, (size_t)(colon - second), &parts[1], problem, size) &&
         read_part(colon + 1, strlen(colon + 1), &parts[2], problem, size) && add_range(list, parts, problem, size);
}

bool cli_budgets_read(const char *text, cli_budgets *list, char *problem, size_t size) {
  list->count = 0;
  for (const char *at = text;; at++) {
    size_t length = strcspn(at, ",");
    char item[LONGEST_ITEM + 1], reason[160];
    if (length > LONGEST_ITEM) {
      snprintf(problem, size, "one of the budgets is longer than %d characters", LONGEST_ITEM);
      return false;
    }
    snprintf(item, sizeof item, "%.*s", (int)length, at);
    if (!read_item(list, item, reason, sizeof reason)) {
      snprintf(problem, size, "\"%s\": %s", item, reason);
      return false;
    }
    at += length;
    if (*at == '\0') return true;
  }
}

static int falling(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x < y) - (x > y);
}

int cli_budgets_bytes(const cli_budgets *list, int64_t baseline_peak, int64_t *bytes) {
  int kept = 0;
  for (int i = 0; i < list->count; i++) {
    if (!cli_budget_bytes(&list->items[i], baseline_peak, &bytes[i])) return -1;
  }
  qsort(bytes, (size_t)list->count, sizeof *bytes, falling);
  for (int i = 0; i < list->count; i++) {
    if (i == 0 || bytes[i] != bytes[kept - 1]) bytes[kept++] = bytes[i];
  }
  return kept;
}
