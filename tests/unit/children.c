/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs, libraries and children: see children.h. */
#define _GNU_SOURCE /* pipe2() */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "children.h"
#include "fixture.h"

static const char ssl_source[] = "void CRYPTO_free(void);\n"
				 "int SSL_do_handshake(void) { CRYPTO_free(); return 1; }\n";
static const char crypto_source[] = "const char version[] = \"OpenSSL 9.8.7 1 Jan 2030\";\n"
				    "void CRYPTO_free(void) {}\n"
				    "int X509_check_host(void) { return 1; }\n";
/* Maps the files that are its arguments, and waits to be ended. */
static const char sleeper_source[] =
	"#include <fcntl.h>\n"
	"#include <sys/mman.h>\n"
	"#include <unistd.h>\n"
	"int main(int argc, char **argv) {\n"
	"	while (*++argv)\n"
	"		if (mmap(0, 64, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(*argv, O_RDONLY), 0) ==\n"
	"		    MAP_FAILED)\n"
	"			return 1;\n"
	"	write(1, \"\", 1); alarm(60); pause();\n"
	"}\n";
static const char static_source[] =
	"#include <unistd.h>\n"
	"const char *volatile state = \"SSLv3/TLS write client hello\";\n"
	"const char *volatile built = \"built with OpenSSL 1.1.1 (compatible; BoringSSL)\";\n"
	"int SSL_do_handshake(void) { return 1; }\n"
	"int X509_check_host(void) { return 1; }\n"
	"int main(void) { write(1, \"\", 1); alarm(60); pause(); }\n";

int children_setup(void **state)
{
	static const char shared[] = "-shared -fPIC -nostdlib";

	if (fixture_setup(state))
		return -1;
	if (fixture_compile("libcrypto.so.3", crypto_source, shared) ||
	    fixture_compile("libssl.so.3", ssl_source,
			    "-shared -fPIC -nostdlib libcrypto.so.3 -Wl,-soname,libssl.so.3") ||
	    fixture_compile("libother.so", ssl_source, shared) ||
	    fixture_compile("libssl.so.8", crypto_source, shared))
		return -1;
	return fixture_compile("sleeper", sleeper_source, "") ||
	       fixture_compile("static", static_source, "") ||
	       fixture_compile("stripped", static_source, "-s");
}

bool child_run(struct child *child, const char *program, const char *const *names)
{
	const char *argv[CHILD_FILES + 2] = { program };
	int ends[2], i;
	char byte;
	bool ready;

	for (i = 0; names[i] && i < CHILD_FILES; i++)
		argv[i + 1] = names[i];
	if (pipe2(ends, O_CLOEXEC))
		return false;
	child->pid = fork();
	if (child->pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) < 0 || chdir(fixture_path("")))
			_exit(1);
		execv(program, (char *const *)argv);
		_exit(1);
	}
	close(ends[1]);
	ready = child->pid > 0 && read(ends[0], &byte, 1) == 1;
	close(ends[0]);
	return ready;
}

void child_exec(struct child *child, const char *program)
{
	assert_true(child_run(child, program, (const char *const[]){ NULL }));
}

void child_map(struct child *child, const char *const *names)
{
	assert_true(child_run(child, "./sleeper", names));
}

void child_end(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}
