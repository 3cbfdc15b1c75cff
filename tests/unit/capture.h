/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written to standard output or standard error meanwhile, for a test to look at.
 */
#ifndef TLSFAIL_TEST_CAPTURE_H
#define TLSFAIL_TEST_CAPTURE_H

/* Takes what is written to fd (1 or 2) from now on. One at a time. */
void capture_begin(int fd);

/* Gives fd back, and returns what was written: a string that lives until the next capture. */
const char *capture_end(void);

#endif
