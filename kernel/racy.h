/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads of what another thread changes without a lock that we hold. */
#ifndef PF_RACY_H
#define PF_RACY_H

#include <linux/compiler.h>

/**
 * pf_racy_read() - read a variable that its owner writes at any time
 * @x: the variable; its owner writes it without WRITE_ONCE()
 *
 * For code that is correct with any recent value. The read happens once, so
 * that a value that was tested is the value that is used; data_race() tells
 * KCSAN that the race is meant.
 *
 * Context: any.
 * Return: a recent value of @x.
 */
#define pf_racy_read(x)	data_race(READ_ONCE(x))

#endif /* PF_RACY_H */
