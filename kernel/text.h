/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the fields of a row into a buffer that the caller knows to be large
 * enough. A row has some thirty numbers, most of them small: seq_printf() would
 * parse its format for each of them, and check the room for each.
 */
#ifndef PF_TEXT_H
#define PF_TEXT_H

#include <linux/types.h>

/* Digits of the largest u64. */
#define PF_TEXT_U64_MAX	20

char *pf_text_u64(char *p, u64 n);
char *pf_text_string(char *p, const char *s);
char *pf_text_escaped(char *p, const char *s);

#endif /* PF_TEXT_H */
