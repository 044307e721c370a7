// SPDX-License-Identifier: GPL-2.0-only
/* Writes the fields of a row; see text.h. */
#include "text.h"

#include <linux/math64.h>
#include <linux/string.h>

/**
 * pf_text_u64() - write a number in decimal
 * @p: room for PF_TEXT_U64_MAX characters
 * @n: the number
 *
 * Return: the end of what was written; no NUL is added.
 */
char *pf_text_u64(char *p, u64 n)
{
	char digits[PF_TEXT_U64_MAX];
	unsigned int i = sizeof(digits);

	if (n < 10) {
		*p++ = '0' + n;
		return p;
	}
	while (n > U32_MAX) {
		u32 rest;

		n = div_u64_rem(n, 10, &rest);
		digits[--i] = '0' + rest;
	}
	for (u32 low = n; low; low /= 10)
		digits[--i] = '0' + low % 10;
	while (i < sizeof(digits))
		*p++ = digits[i++];
	return p;
}

/**
 * pf_text_string() - write a string unchanged
 * @p: room for it
 * @s: a string that ends with a NUL; the NUL is not written
 *
 * Return: the end of what was written.
 */
char *pf_text_string(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

static char *pf_text_escape(char *p, unsigned char c)
{
	*p++ = '\\';
	switch (c) {
	case '\\':
		*p++ = '\\';
		break;
	case '\n':
		*p++ = 'n';
		break;
	case '\t':
		*p++ = 't';
		break;
	default:
		*p++ = '0' + (c >> 6);
		*p++ = '0' + (c >> 3 & 7);
		*p++ = '0' + (c & 7);
	}
	return p;
}

/**
 * pf_text_escaped() - write a string with the contract's escapes
 * @p: room for four times its length
 * @s: any bytes, up to a NUL
 *
 * Return: the end of what was written.
 */
char *pf_text_escaped(char *p, const char *s)
{
	for (; *s; s++) {
		unsigned char c = *s;

		if (c < 0x20 || c > 0x7e || c == '\\')
			p = pf_text_escape(p, c);
		else
			*p++ = c;
	}
	return p;
}
