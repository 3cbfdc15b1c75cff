/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine code of call stubs, as linkers write it, and of functions built for CET and not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"
#include "system/elf.h"
#include "system/elfparse.h"

static void test_plt_entry_x86_64(void **state)
{
	/* All jump through the slot 0xa4158. */
	static const struct {
		uint64_t address;
		uint8_t bytes[16];
	} entries[] = {
		/* GNU ld .plt: jmp *slot(%rip); push $index; jmp PLT0 */
		{ 0x1fc50, { 0xff, 0x25, 0x02, 0x45, 0x08, 0, 0x68, 0xc2, 0, 0, 0, 0xe9 } },
		/* .plt.sec: endbr64; jmp *slot(%rip) */
		{ 0x1fc50, { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0xfe, 0x44, 0x08, 0 } },
		/* .plt.sec of older binutils: endbr64; bnd jmp *slot(%rip) */
		{ 0x1fc50, { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0xfd, 0x44, 0x08, 0 } },
		/* mold: endbr64; mov $index, %r11d; jmp *slot(%rip) */
		{ 0x1fc50,
		  { 0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb, 1, 0, 0, 0, 0xff, 0x25, 0xf8, 0x44, 0x08,
		    0 } },
		/* the GOT in front of the code */
		{ 0xb4158, { 0xff, 0x25, 0xfa, 0xff, 0xfe, 0xff } },
	};
	uint64_t slot;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		slot = 0;
		assert_true(elf_plt_entry_slot(EM_X86_64, entries[i].bytes, 16, entries[i].address,
					       &slot));
		assert_int_equal(slot, 0xa4158);
		for (len = 0; len < 6; len++)
			assert_false(elf_plt_entry_slot(EM_X86_64, entries[i].bytes, len,
							entries[i].address, &slot));
	}
	assert_false(elf_plt_entry_slot(EM_386, entries[0].bytes, 16, 0x1fc50, &slot));
}

static void test_plt_entry_x86_64_other_code(void **state)
{
	/* PLT0: push GOT+8(%rip); and a PLT entry with IBT, whose jump is in .plt.sec */
	static const uint8_t plt0[16] = { 0xff, 0x35, 0x12, 0x4b, 0x08, 0, 0xff, 0x25 };
	static const uint8_t ibt[16] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x68, 0, 0, 0, 0, 0xe9 };
	uint64_t slot;

	(void)state;
	assert_false(elf_plt_entry_slot(EM_X86_64, plt0, sizeof(plt0), 0x1000, &slot));
	assert_false(elf_plt_entry_slot(EM_X86_64, ibt, sizeof(ibt), 0x1000, &slot));
}

static void test_plt_entry_aarch64(void **state)
{
	/* adrp x16, 0xa4000; ldr x17, [x16, #0x158]; add x16, x16, #0x158; br x17 */
	static const uint8_t plain[] = { 0x30, 0x04, 0x00, 0xb0, 0x11, 0xae, 0x40, 0xf9,
					 0x10, 0x62, 0x05, 0x91, 0x20, 0x02, 0x1f, 0xd6 };
	/* bti c; adrp x16, 0xa4000; ldr x17, [x16, #0x158] */
	static const uint8_t bti[] = { 0x5f, 0x24, 0x03, 0xd5, 0x30, 0x04,
				       0x00, 0xb0, 0x11, 0xae, 0x40, 0xf9 };
	/* adrp x16, the page in front; ldr x17, [x16, #0xff8] */
	static const uint8_t back[] = { 0xf0, 0xff, 0xff, 0xf0, 0x11, 0xfe, 0x47, 0xf9 };
	/* adrp x17, …: another register */
	static const uint8_t other[] = { 0x31, 0x04, 0x00, 0xb0, 0x11, 0xae, 0x40, 0xf9 };
	uint64_t slot = 0;
	size_t len;

	(void)state;
	assert_true(elf_plt_entry_slot(EM_AARCH64, plain, sizeof(plain), 0x1f030, &slot));
	assert_int_equal(slot, 0xa4158);
	assert_true(elf_plt_entry_slot(EM_AARCH64, bti, sizeof(bti), 0x1f030, &slot));
	assert_int_equal(slot, 0xa4158);
	assert_true(elf_plt_entry_slot(EM_AARCH64, back, sizeof(back), 0x1f030, &slot));
	assert_int_equal(slot, 0x1eff8);
	assert_false(elf_plt_entry_slot(EM_AARCH64, other, sizeof(other), 0x1f030, &slot));
	for (len = 0; len < 8; len++)
		assert_false(elf_plt_entry_slot(EM_AARCH64, plain, len, 0x1f030, &slot));
}

#ifdef __x86_64__

/* As SSL_do_handshake is: it saves a register first, and calls another function. */
static const char handshake_source[] = "int other(void *); int SSL_do_handshake(void *s);\n"
				       "int SSL_do_handshake(void *s)\n"
				       "{ return other(s) + other(s); }\n";

/* Byte at the place of a probe on the function, and how far that is from where the function begins. */
static unsigned char probed_byte(const char *name, uint64_t *pad)
{
	struct elf_file *file;
	unsigned char byte;
	uint64_t offset, probed;
	int fd;

	fd = open(fixture_path(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_file_open(fd, NULL, &file), 0);
	assert_int_equal(elf_file_function(file, "SSL_do_handshake", &offset), 0);
	probed = elf_file_past_landing_pad(file, offset);
	*pad = probed - offset;
	assert_int_equal(pread(fd, &byte, 1, (off_t)probed), 1);
	elf_file_close(file);
	close(fd);
	return byte;
}

/* arch/x86/kernel/uprobes.c, push_setup_xol_ops(): what the kernel emulates */
static bool is_push(unsigned char byte)
{
	return byte >= 0x50 && byte <= 0x57;
}

/* The same function, built for CET and not: the probe is on the push in both. */
static void test_landing_pad(void **state)
{
	uint64_t pad;

	(void)state;
	assert_int_equal(fixture_compile("cet.so", handshake_source,
					 "-shared -fPIC -nostdlib -O2 -fcf-protection=full"),
			 0);
	assert_int_equal(fixture_compile("plain.so", handshake_source,
					 "-shared -fPIC -nostdlib -O2 -fcf-protection=none"),
			 0);
	assert_true(is_push(probed_byte("cet.so", &pad)));
	assert_int_equal(pad, 4);
	assert_true(is_push(probed_byte("plain.so", &pad)));
	assert_int_equal(pad, 0);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(test_landing_pad),
#endif
		cmocka_unit_test(test_plt_entry_x86_64),
		cmocka_unit_test(test_plt_entry_x86_64_other_code),
		cmocka_unit_test(test_plt_entry_aarch64),
	};

	return cmocka_run_group_tests_name("elf_plt", tests, fixture_setup, fixture_teardown);
}
