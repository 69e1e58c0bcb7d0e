/* "Did you mean ...?": the nearest word by the number of letters to insert, delete, replace or swap with a neighbour
 * (optimal string alignment). O(length of one word * length of the other) for each candidate. */
#include "cli/cli.h"

#define LONGEST 31

static int least(int a, int b) {
  return a < b ? a : b;
}

static int distance(const char *a, const char *b) {
  int d[LONGEST + 1][LONGEST + 1];
  int n = (int)strlen(a);
  int m = (int)strlen(b);
  if (n > LONGEST || m > LONGEST) return n + m;
  for (int i = 0; i <= n; i++) d[i][0] = i;
  for (int j = 0; j <= m; j++) d[0][j] = j;
  for (int i = 1; i <= n; i++)
    for (int j = 1; j <= m; j++) {
      int replace = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = least(replace, 1 + least(d[i - 1][j], d[i][j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[n][m];
}

const char *cli_suggest(const char *word, const char *const *candidates, int count) {
  const char *best = NULL;
  int best_distance = (int)strlen(word) / 3 + 2;
  for (int i = 0; i < count; i++) {
    int d = distance(word, candidates[i]);
    if (d < best_distance && d < (int)strlen(candidates[i])) {
      best = candidates[i];
      best_distance = d;
    }
  }
  return best;
}
