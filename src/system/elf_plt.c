// SPDX-License-Identifier: BSD-2-Clause
/* The machine code of call stubs (PLT entries). */
#include "system/elfparse.h"

#include <elf.h>
#include <string.h>

static uint32_t load_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* [endbr64] [mov $index, %r11d] [bnd] jmp *slot(%rip): of GNU ld, lld and mold, with and without
 * IBT. */
static bool plt_entry_slot_x86_64(const uint8_t *bytes, size_t len, uint64_t address,
				  uint64_t *slot)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = 0;

	if (len >= sizeof(endbr64) && memcmp(bytes, endbr64, sizeof(endbr64)) == 0)
		at = sizeof(endbr64);
	if (len >= at + 6 && bytes[at] == 0x41 && bytes[at + 1] == 0xbb)
		at += 6;
	if (len > at && bytes[at] == 0xf2)
		at++;
	if (len < at + 6 || bytes[at] != 0xff || bytes[at + 1] != 0x25)
		return false;
	*slot = address + at + 6 + (uint64_t)(int32_t)load_le32(bytes + at + 2);
	return true;
}

/* [bti c]; adrp x16, page(slot); ldr x17, [x16, #offset(slot)]. */
static bool plt_entry_slot_aarch64(const uint8_t *bytes, size_t len, uint64_t address,
				   uint64_t *slot)
{
	uint32_t adrp, ldr, pages;
	size_t at = 0;

	if (len >= 4 && load_le32(bytes) == 0xd503245f)
		at = 4;
	if (len < at + 8)
		return false;
	adrp = load_le32(bytes + at);
	ldr = load_le32(bytes + at + 4);
	if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
		return false;
	pages = (adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
	if (pages & 1U << 20)
		pages |= ~0U << 21;
	*slot = ((address + at) & ~UINT64_C(0xfff)) + (uint64_t)(int32_t)pages * 4096 +
		UINT64_C(8) * (ldr >> 10 & 0xfff);
	return true;
}

bool elf_plt_entry_slot(uint16_t machine, const uint8_t *bytes, size_t len, uint64_t address,
			uint64_t *slot)
{
	if (machine == EM_X86_64)
		return plt_entry_slot_x86_64(bytes, len, address, slot);
	if (machine == EM_AARCH64)
		return plt_entry_slot_aarch64(bytes, len, address, slot);
	return false;
}
