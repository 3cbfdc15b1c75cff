/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF files are read as the collector has them read.
 */
#ifndef TLSFAIL_TEST_ELFREAD_H
#define TLSFAIL_TEST_ELFREAD_H

/* From now on, by another process, which may do nothing else. */
void elf_read_elsewhere(void);

#endif
