// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a server sends to a ClientHello of the probe, in one piece and in two: more bytes add facts and
 * take none back. Input: the length of the first piece (two bytes, in network order), and the bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "probe/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer part, whole;
	size_t len;
	uint8_t *copy;

	if (size < 2)
		return 0;
	len = (size_t)data[0] << 8 | data[1];
	data += 2;
	size -= 2;
	len = len < size ? len : size;
	/* of its own, so that a read past its end is seen */
	copy = malloc(len + 1);
	if (!copy)
		return 0;
	memcpy(copy, data, len);
	answer_read(copy, len, &part);
	free(copy);
	answer_read(data, size, &whole);
	FUZZ_ASSERT(part.kind == ANSWER_NONE || part.kind == whole.kind);
	FUZZ_ASSERT(!part.cipher || part.cipher == whole.cipher);
	FUZZ_ASSERT(!part.done || whole.done);
	FUZZ_ASSERT(whole.kind <= ANSWER_NOT_TLS);
	return 0;
}
