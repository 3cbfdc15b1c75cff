// SPDX-License-Identifier: BSD-2-Clause
/*
 * Files that are asked for: by a process that has another one open them, which gives what it may and
 * nothing else. The questions go over sockets, as they do between the analyst and the keeper's children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "asked.h"
#include "base/text.h"
#include "fixture.h"
#include "system/files.h"
#include "system/fileserver.h"
#include "system/fileswire.h"
#include "system/keyblank.h"
#include "system/passfd.h"

static int keeper; /* a connection is asked for over it */

/* -- the side that may ------------------------------------------------------------------------- */

static bool may_look(void *context, pid_t pid)
{
	(void)context;
	return pid == getpid();
}

static bool may_follow(void *context, const char *path)
{
	(void)context;
	return strstr(path, "error.log");
}

static bool may_write(void *context, const char *path)
{
	(void)context;
	return strstr(path, "findings");
}

static int matches(void *context, pid_t pid)
{
	(void)context;
	return pid == getpid() ? 1 : pid == 1 ? 0 : -ESRCH;
}

static int targets(void *context, pid_t *pids, size_t max)
{
	(void)context;
	assert_true(max > 2);
	pids[0] = 11;
	pids[1] = 22;
	return 2;
}

static int setup(void **state)
{
	static const struct fileserver_policy policy = { .process = may_look,
							 .log = may_follow,
							 .own = may_write,
							 .matches = matches,
							 .targets = targets,
							 .key = asked_key };

	if (fixture_setup(state))
		return -1;
	keeper = asked_begin_by(&policy);
	return keeper < 0 ? -1 : 0;
}

static void write_text(const char *name, const char *text)
{
	assert_int_equal(fixture_write(name, text, strlen(text)), 0);
}

/* What a descriptor holds, which is closed. */
static const char *content(int fd)
{
	static char text[8192];
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

/* -- what is given ------------------------------------------------------------------------------- */

static void test_open(void **state)
{
	struct stat st, other;
	DIR *dir;
	int fd;

	(void)state;
	write_text("nginx.conf", "events {}\n");
	assert_string_equal(content(files_open(getpid(), fixture_path("nginx.conf"), &st)),
			    "events {}\n");
	assert_int_equal(stat(fixture_path("nginx.conf"), &other), 0);
	assert_true(st.st_ino == other.st_ino && st.st_size == other.st_size);
	assert_int_equal(files_open(getpid(), fixture_path("none"), &st), -ENOENT);
	assert_int_equal(files_open(getpid(), fixture_path(""), &st), -ENOEXEC);
	assert_int_equal(files_open(getpid(), "/proc/kmsg", &st), -ENOEXEC);
	assert_int_equal(files_open(getpid(), "/dev/null", &st), -ENOEXEC);
	fd = files_directory(getpid(), fixture_path(""));
	dir = fdopendir(fd);
	assert_non_null(dir);
	closedir(dir);
	assert_int_equal(files_stat(getpid(), fixture_path("nginx.conf"), false, &st), 0);
	assert_true(st.st_ino == other.st_ino);
}

/* Nothing of a process that is not allowed, nor of the host. */
static void test_not_allowed(void **state)
{
	struct stat st;
	char buf[64];
	struct text error;
	size_t len;
	int fd;

	(void)state;
	text_init(&error, buf, sizeof(buf));
	assert_int_equal(files_open(1, "/etc/passwd", &st), -EACCES);
	assert_int_equal(files_open(0, "/etc/passwd", &st), -EACCES);
	assert_int_equal(files_directory(0, "/etc"), -EACCES);
	assert_int_equal(files_stat(0, "/etc", false, &st), -EACCES);
	assert_int_equal(files_exe(1), -EACCES);
	assert_int_equal(files_cmdline(1, buf, sizeof(buf), &len), -EACCES);
	assert_int_equal(files_log_open("/etc/passwd", &st), -EACCES);
	assert_int_equal(files_log_open("/proc/1/root/etc/passwd", &st), -EACCES);
	assert_int_equal(files_log_open("/proc/self/root/etc/passwd", &st), -EACCES);
	assert_int_equal(files_own_open("/etc/passwd", &fd, &st, &error), -EACCES);
	assert_int_equal(files_own_look("/etc/passwd", &st), -EACCES);
	assert_int_equal(files_own_replace("/etc/passwd", "", 0, false), -EACCES);
	assert_int_equal(files_own_connect("/run/systemd/journal/socket", &fd), -EACCES);
}

static void test_process(void **state)
{
	char buf[4096], own[4096];
	uint64_t ticks = 0;
	pid_t pids[8];
	size_t len = 0;

	(void)state;
	assert_int_equal(files_cmdline(getpid(), buf, sizeof(buf), &len), 0);
	assert_true(len > 0);
	assert_int_equal(files_cwd(getpid(), buf, sizeof(buf)), 0);
	assert_string_equal(buf, getcwd(own, sizeof(own)));
	assert_int_equal(files_parent(getpid()), getppid());
	assert_int_equal(files_started(getpid(), &ticks), 0);
	assert_true(ticks > 0);
	assert_memory_equal(content(files_exe(getpid())), "\177ELF", 4);
	assert_int_equal(files_matches(getpid()), 1);
	assert_int_equal(files_matches(1), 0);
	assert_int_equal(files_matches(12345678), -ESRCH);
	assert_int_equal(files_targets(pids, 8), 2);
	assert_true(pids[0] == 11 && pids[1] == 22);
}

static void test_log(void **state)
{
	char path[512], buf[64];
	struct stat st;

	(void)state;
	write_text("error.log", "a line\n");
	assert_string_equal(content(files_log_open(fixture_path("error.log"), &st)), "a line\n");
	assert_int_equal(files_log_look(fixture_path("error.log"), &st), 0);
	assert_int_equal(st.st_size, 7);
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)getpid(), fixture_path("error.log"));
	assert_string_equal(content(files_log_open(path, &st)), "a line\n");
	assert_int_equal(symlink("/dev/stderr", fixture_path("link-error.log")), 0);
	assert_int_equal(files_log_link(fixture_path("link-error.log"), buf, sizeof(buf)), 0);
	assert_string_equal(buf, "/dev/stderr");
	write_text("key-error.log",
		   "x\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n");
	assert_int_equal(files_log_open(fixture_path("key-error.log"), &st), -EACCES);
}

static void test_own(void **state)
{
	char words[256];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct text error;
	struct stat st;
	int fd, listening;

	(void)state;
	text_init(&error, words, sizeof(words));
	assert_int_equal(files_own_open(fixture_path("findings.json"), &fd, &st, &error), 0);
	assert_int_equal(write(fd, "one", 3), 3);
	close(fd);
	assert_int_equal(files_own_look(fixture_path("findings.json"), &st), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(files_own_open(fixture_path("none/findings"), &fd, &st, &error), -ENOENT);
	assert_non_null(strstr(words, "cannot create "));
	assert_int_equal(files_own_replace(fixture_path("findings.prom"), "page\n", 5, true), 0);
	fd = files_open(getpid(), fixture_path("findings.prom"), &st);
	assert_string_equal(content(fd), "page\n");
	listening = socket(AF_UNIX, SOCK_DGRAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture_path("findings.sock"));
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(files_own_connect(address.sun_path, &fd), 0);
	assert_int_equal(send(fd, "event", 5, 0), 5);
	assert_int_equal(recv(listening, words, sizeof(words), 0), 5);
	close(fd);
	close(listening);
}

/* -- keys -------------------------------------------------------------------------------------------- */

#define KEY  "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY-----"
#define CERT "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

static void test_blank(void **state)
{
	char text[] = CERT KEY " # rest\n" CERT;
	char open_end[] = "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nbn";
	char none[] = CERT "PRIVATE KEY\n-----BEGIN \n";
	char copy[sizeof(none)];

	(void)state;
	assert_true(keyblank(text, strlen(text)));
	assert_null(strstr(text, "MIIEow"));
	assert_null(strstr(text, "AAAA"));
	assert_null(strstr(text, "PRIVATE"));
	assert_memory_equal(text, CERT, strlen(CERT));
	assert_non_null(strstr(text, " # rest\n" CERT));
	assert_true(keyblank(open_end, strlen(open_end)));
	assert_memory_equal(open_end, "a\n", 2);
	assert_null(strstr(open_end, "b3Bl"));
	assert_null(strstr(open_end, "bn"));
	memcpy(copy, none, sizeof(none));
	assert_false(keyblank(none, strlen(none)));
	assert_memory_equal(copy, none, sizeof(none));
}

/* Of what blanks stand in, too, no key begins; and a long line takes no longer than it has to. */
static void test_blank_hostile(void **state)
{
	char chained[] =
		"-BEGIN-BEGIN -END x- BEGIN PRIVATE KEY-\n-BEGIN-BEGIN x-END y-PRIVATE KEY";
	static const char *const units[] = { "-BEGIN ", "-BEGIN -END -" };
	const size_t len = 16 << 20;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	assert_true(keyblank(chained, strlen(chained)));
	assert_false(keyblank(chained, strlen(chained)));
	for (size_t i = 0; i < 2; i++) {
		for (size_t at = 0; at < len; at++)
			text[at] = units[i][at % strlen(units[i])];
		assert_false(keyblank(text, len));
		memcpy(text + len - 12, "PRIVATE KEY-", 12);
		assert_true(keyblank(text, len));
	}
	free(text);
}

static void test_key_is_not_given(void **state)
{
	const char *text;
	struct stat st;

	(void)state;
	write_text("both.pem", CERT KEY "\n");
	text = content(files_open(getpid(), fixture_path("both.pem"), &st));
	assert_int_equal(st.st_size, strlen(CERT KEY "\n"));
	assert_int_equal(strlen(text), strlen(CERT KEY "\n"));
	assert_memory_equal(text, CERT, strlen(CERT));
	assert_null(strstr(text, "MIIEow"));
}

static int public_of(EVP_PKEY *pair, unsigned char **der)
{
	*der = NULL;
	return i2d_PUBKEY(pair, der);
}

static void test_key_matches(void **state)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	unsigned char *der, *other_der;
	int len = public_of(pair, &der), other_len = public_of(other, &other_der);
	FILE *file = fopen(fixture_path("key.pem"), "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	write_text("broken.pem", KEY "\n");
	assert_int_equal(files_key_matches(getpid(), fixture_path("key.pem"), der, (size_t)len), 1);
	assert_int_equal(
		files_key_matches(getpid(), fixture_path("key.pem"), other_der, (size_t)other_len),
		0);
	assert_true(files_key_matches(getpid(), fixture_path("broken.pem"), der, (size_t)len) < 0);
	assert_int_equal(files_key_matches(1, fixture_path("key.pem"), der, (size_t)len), -EACCES);
	OPENSSL_free(der);
	OPENSSL_free(other_der);
	EVP_PKEY_free(pair);
	EVP_PKEY_free(other);
}

/* -- the wire ---------------------------------------------------------------------------------------- */

static struct files_request request, request_again;
static struct files_reply reply, reply_again;
static uint8_t buf[FILESWIRE_MAX + 1];

static void test_wire(void **state)
{
	size_t len;

	(void)state;
	request.op = FILES_KEY;
	request.pid = 7;
	strcpy(request.path, "/a/path");
	request.data_len = FILES_DATA_MAX;
	memset(request.data, 3, sizeof(request.data));
	len = fileswire_request_write(&request, buf);
	assert_true(fileswire_request_read(buf, len, &request_again));
	assert_memory_equal(&request, &request_again, sizeof(request));
	assert_false(fileswire_request_read(buf, len - 1, &request_again));
	assert_false(fileswire_request_read(buf, len + 1, &request_again));
	assert_false(fileswire_request_read(buf, 3, &request_again));
	buf[0] = FILES_OPS;
	assert_false(fileswire_request_read(buf, len, &request_again));

	reply.err = -ENOENT;
	reply.number = 5;
	reply.data_len = 3;
	memcpy(reply.data, "abc", 3);
	len = fileswire_reply_write(&reply, buf);
	assert_true(fileswire_reply_read(buf, len, &reply_again));
	assert_memory_equal(&reply, &reply_again, sizeof(reply));
	assert_false(fileswire_reply_read(buf, len - 1, &reply_again));
	reply.err = 0;
	reply.has_fd = true;
	len = fileswire_reply_write(&reply, buf);
	assert_true(fileswire_reply_read(buf, len, &reply_again));
	reply.err = 1;
	assert_false(fileswire_reply_read(buf, fileswire_reply_write(&reply, buf), &reply_again));
}

/* What is no question gets an answer, and a descriptor that nobody asked for is closed. */
static void test_nonsense(void **state)
{
	int ends[2], fd = -1;
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(passfd_send(keeper, "", 1, ends[1]), 0);
	close(ends[1]);
	assert_int_equal(passfd_send(ends[0], "nonsense", 8, STDERR_FILENO), 0);
	n = passfd_receive(ends[0], buf, sizeof(buf), &fd);
	assert_true(n > 0 && fd < 0);
	assert_true(fileswire_reply_read(buf, (size_t)n, &reply));
	assert_int_equal(reply.err, -EBADMSG);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),	      cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_process),	      cmocka_unit_test(test_log),
		cmocka_unit_test(test_own),	      cmocka_unit_test(test_blank),
		cmocka_unit_test(test_blank_hostile), cmocka_unit_test(test_key_is_not_given),
		cmocka_unit_test(test_key_matches),   cmocka_unit_test(test_wire),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
