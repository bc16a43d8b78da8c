/* close.h: comparison of numbers in f64 (cmocka's own rounds to float). Include after cmocka.h. */
#ifndef TESTS_SUPPORT_CLOSE_H
#define TESTS_SUPPORT_CLOSE_H

/* Fails unless |got - want| <= tolerance; NaN fails, equal infinities pass. */
#define assert_close(got, want, tolerance)                                                         \
    do {                                                                                           \
        double close_got = (got), close_want = (want), close_tolerance = (tolerance);              \
        double close_gap =                                                                         \
            close_got > close_want ? close_got - close_want : close_want - close_got;              \
        if (!(close_gap <= close_tolerance || close_got == close_want)) {                          \
            fail_msg("%s is %.17g, expected %.17g (tolerance %g)", #got, close_got, close_want,    \
                     close_tolerance);                                                             \
        }                                                                                          \
    } while (0)

#endif
