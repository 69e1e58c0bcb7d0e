/* What every C test includes first: cmocka with the headers it needs, and checks that print the library's error. */
#ifndef TEST_TEST_H
#define TEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <moccasin/moccasin.h>
#include <string.h>

/* The call must succeed; on failure the error's place and message are printed. `call` uses the moc_error `error`. */
#define CHECK_OK(call, error)                                                                                      \
  do {                                                                                                             \
    moc_status check_status = (call);                                                                              \
    if (check_status != MOC_OK)                                                                                    \
      fail_msg("%s: %s at '%s': %s", #call, moc_status_text(check_status), (error).place, (error).message);        \
  } while (0)

/* The call must fail with this status and fill `error` with it and a message. */
#define CHECK_FAILS(call, expected, error)                                                                         \
  do {                                                                                                             \
    memset(&(error), 0, sizeof(error));                                                                            \
    moc_status check_status = (call);                                                                              \
    if (check_status != (expected))                                                                                \
      fail_msg("%s: expected '%s', got '%s' at '%s': %s", #call, moc_status_text(expected),                        \
               moc_status_text(check_status), (error).place, (error).message);                                     \
    if ((error).status != (expected)) fail_msg("%s: the error's status was not filled", #call);                    \
    if ((error).message[0] == '\0') fail_msg("%s: the error has no message", #call);                               \
  } while (0)

/* `text` must contain `part`. */
#define CHECK_CONTAINS(text, part)                                                                                 \
  do {                                                                                                             \
    if (strstr((text), (part)) == NULL) fail_msg("'%s' does not contain '%s'", text, part);                        \
  } while (0)

#endif
