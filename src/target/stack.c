// SPDX-License-Identifier: BSD-2-Clause
/*
 * By the names of shared libraries, by what the Go linker leaves behind, and by texts that are in every
 * build of a library.
 */
#include "target/stack.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VERSION_LEN 48

/* ---- Shared libraries ---------------------------------------------------------------------- */

static const struct {
	const char *file; /* the file name begins so */
	const char *name;
} libraries[] = {
	{ "libgnutls.so", "GnuTLS" },
	{ "libgnutls-", "GnuTLS" },
	{ "libssl3.so", "NSS" },
	{ "libnss3.so", "NSS" },
	{ "libmbedtls.so", "Mbed TLS" },
	{ "libwolfssl.so", "wolfSSL" },
	{ "libs2n.so", "s2n-tls" },
	{ "libbearssl.so", "BearSSL" },
	{ "libbotan-", "Botan" },
	{ "librustls.so", "rustls" },
	{ "libjvm.so", "Java's own (JSSE)" },
};

const char *stack_of_library(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (!strncmp(file, libraries[i].file, strlen(libraries[i].file)))
			return libraries[i].name;
	return NULL;
}

/* ---- Executables --------------------------------------------------------------------------- */

/*
 * Go 1.18 and later: 14 bytes of magic, the size of a pointer, flags (2: strings follow), up to 32
 * bytes; then the version with its length before it, below 128 and so one byte
 * (debug/buildinfo.readRawBuildInfo()).
 */
#define GO_SECTION	  ".go.bui" /* dinfo: the beginning is what is kept */
#define GO_MAGIC	  "\xff Go buildinf:"
#define GO_FLAGS	  15
#define GO_INLINE_STRINGS 2
#define GO_VERSION	  32

static bool go_read(struct elf_file *exe, char *name, size_t size)
{
	uint8_t info[GO_VERSION + 1 + VERSION_LEN];
	size_t len = elf_file_section(exe, GO_SECTION, info, sizeof(info));
	int version_len = 0;

	if (len <= GO_VERSION || memcmp(info, GO_MAGIC, strlen(GO_MAGIC)) != 0)
		return false;
	if (info[GO_FLAGS] & GO_INLINE_STRINGS && info[GO_VERSION] < VERSION_LEN &&
	    GO_VERSION + 1U + info[GO_VERSION] <= len)
		version_len = info[GO_VERSION];
	snprintf(name, size, "Go's crypto/tls%s%.*s%s", version_len ? " (" : "", version_len,
		 (const char *)info + GO_VERSION + 1, version_len ? ")" : "");
	return true;
}

/* What SSL_state_string_long() returns, or the names of source files that come with errors: in every
 * build of a library, and in no program that merely uses one. */
static const struct {
	const char *text;
	const char *name;
	const char *version; /* a digit follows it; NULL: there is none */
	bool linked_in;
} texts[] = {
	{ "TLS client read_server_hello", "BoringSSL", NULL, true },
	{ "SSLv3/TLS write client hello", "OpenSSL", "OpenSSL ", true },
	{ "ssl/statem/statem_", "OpenSSL", "OpenSSL ", true },
	{ "SSLv3 write client hello A", "LibreSSL, or an old OpenSSL", NULL, true },
	{ "/rustls-", "rustls", NULL, false },
	{ "GNUTLS_DEBUG_LEVEL", "GnuTLS", NULL, false },
	{ "library/ssl_tls.c", "Mbed TLS", NULL, false },
	{ "wolfSSL Entering", "wolfSSL", NULL, false },
	{ "This BEAM file was compiled for", "Erlang's own (ssl)", NULL, false },
};

static void name_write(struct elf_file *exe, size_t i, char *name, size_t size)
{
	char version[VERSION_LEN];
	const char *prefix = texts[i].version;

	if (prefix && !elf_file_version_string(exe, prefix, version, sizeof(version)))
		snprintf(name, size, "%s %.*s", texts[i].name,
			 (int)strcspn(version + strlen(prefix), " "), version + strlen(prefix));
	else
		snprintf(name, size, "%s", texts[i].name);
}

bool stack_of_executable(struct elf_file *exe, char *name, size_t size, bool *linked_in)
{
	*linked_in = false;
	if (go_read(exe, name, size))
		return true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!elf_file_has_text(exe, texts[i].text))
			continue;
		*linked_in = texts[i].linked_in;
		name_write(exe, i, name, size);
		return true;
	}
	return false;
}
