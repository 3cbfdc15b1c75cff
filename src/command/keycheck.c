// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the two have in common is the public key: that of the private key is computed and compared.
 */
#include "command/keycheck.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "system/sandbox.h"
#include "tls/pem.h"

#define FILE_BYTES_MAX (1U << 20)
#define CPU_S	       2

enum answer {
	NO,
	YES,
	UNKNOWN
};

static EVP_PKEY *key_read(int fd)
{
	static char text[FILE_BYTES_MAX];
	size_t len = 0;
	ssize_t n = 1;
	EVP_PKEY *key;
	BIO *bio;

	while (n > 0 && len < sizeof(text)) {
		n = pread(fd, text + len, sizeof(text) - len, (off_t)len);
		if (n > 0)
			len += (size_t)n;
	}
	bio = BIO_new_mem_buf(text, (int)len);
	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, pem_no_password, NULL) : NULL;
	BIO_free(bio);
	return key;
}

static enum answer key_compare(int fd, const void *public, size_t len)
{
	EVP_PKEY *key = key_read(fd);
	unsigned char *der = NULL;
	int der_len = key ? i2d_PUBKEY(key, &der) : 0;

	if (der_len <= 0)
		return UNKNOWN;
	return (size_t)der_len == len && !memcmp(der, public, len) ? YES : NO;
}

/* In the process of its own; its memory goes with it. */
static enum answer child_main(int fd, const void *key, size_t len)
{
	const struct sandbox_options closed = { .user = NULL };
	const struct rlimit cpu = { CPU_S, CPU_S };
	struct sandbox_state state;

	prctl(PR_SET_NAME, "tlsfail-key");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* what it would load from files later */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (setrlimit(RLIMIT_CPU, &cpu) || sandbox_enter(&closed, &state))
		return UNKNOWN;
	return key_compare(fd, key, len);
}

int keycheck(int fd, const void *key, size_t len)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		_exit(child_main(fd, key, len));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > YES)
		return -EINVAL;
	return WEXITSTATUS(status) == YES;
}
