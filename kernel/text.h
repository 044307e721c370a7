/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the fields of a row into a buffer that is known to be large enough.
 *
 * By hand because a row has some thirty numbers, most of them small: see
 * README.md for what seq_printf() and seq_put_decimal_ull() cost instead.
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
