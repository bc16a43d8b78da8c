/* plan_count.h: how often a text occurs in the dump of a plan, such as the name of a kernel. */
#ifndef TESTS_SUPPORT_PLAN_COUNT_H
#define TESTS_SUPPORT_PLAN_COUNT_H

#include <gan/plan.h>

/* Fails the test when the plan has no dump. */
int plan_count(const gan_plan *p, const char *part);

#endif
