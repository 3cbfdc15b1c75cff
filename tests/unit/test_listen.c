/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses to listen on, and Unix sockets that a program left behind.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "system/listen.h"

static struct listen_address address;

static void assert_ipv4(const char *words, uint32_t ip, uint16_t port)
{
	const struct sockaddr_in *a = (const struct sockaddr_in *)&address.addr.storage;

	assert_int_equal(listen_parse(words, &address), 0);
	assert_int_equal(a->sin_family, AF_INET);
	assert_int_equal(ntohl(a->sin_addr.s_addr), ip);
	assert_int_equal(ntohs(a->sin_port), port);
	assert_int_equal(address.len, sizeof(*a));
}

/* Without an address it is loopback: nothing is open to the network unless it was asked for. */
static void test_addresses(void **state)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address.addr.storage;

	(void)state;
	assert_ipv4("9913", INADDR_LOOPBACK, 9913);
	assert_ipv4(":9913", INADDR_LOOPBACK, 9913);
	assert_ipv4("0.0.0.0:1", INADDR_ANY, 1);
	assert_ipv4("192.0.2.1:65535", 0xc0000201, 65535);
	assert_int_equal(listen_parse("[::1]:443", &address), 0);
	assert_int_equal(v6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(v6->sin6_port), 443);
	assert_memory_equal(&v6->sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
	assert_int_equal(listen_parse("unix:/run/tlsfail.sock", &address), 0);
	assert_int_equal(address.addr.local.sun_family, AF_UNIX);
	assert_string_equal(address.addr.local.sun_path, "/run/tlsfail.sock");
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"0",
		"65536",
		"127.0.0.1",
		"127.0.0.1:",
		"localhost:1",
		"1.2.3:1",
		"::1:80",
		"[::1]",
		"[::1]x:1",
		"[::1:1",
		"[]:1",
		"[1.2.3.4]:1",
		"127.0.0.1:x",
		"127.0.0.1:1x",
		"127.0.0.1:-1",
		"unix:",
		"unix:a",
		"[:1",
		"[",
		"]",
		"999.0.0.1:1",
	};
	char path[256] = "unix:/";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (listen_parse(bad[i], &address) != -EINVAL)
			fail_msg("taken: '%s'", bad[i]);
	memset(path + strlen(path), 'x', sizeof(path) - strlen(path) - 1);
	assert_int_equal(listen_parse(path, &address), -ENAMETOOLONG);
}

static void test_unix_socket(void **state)
{
	struct listen_address same;
	char words[128];
	struct stat st;
	int fd;

	(void)state;
	snprintf(words, sizeof(words), "unix:%s", fixture_path("socket"));
	assert_int_equal(listen_parse(words, &address), 0);
	fd = listen_open(&address);
	assert_true(fd >= 0);
	assert_int_equal(stat(fixture_path("socket"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	/* somebody listens there */
	same = address;
	assert_int_equal(listen_open(&same), -EADDRINUSE);
	/* its program dies: the file stays, and is replaced */
	close(fd);
	fd = listen_open(&address);
	assert_true(fd >= 0);
	listen_close(&address, fd);
	assert_int_equal(access(fixture_path("socket"), F_OK), -1);
	/* what is not a socket is nobody's to replace */
	assert_int_equal(fixture_write("socket", "x", 1), 0);
	assert_int_equal(listen_open(&address), -EADDRINUSE);
	assert_int_equal(access(fixture_path("socket"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_unix_socket),
	};

	return cmocka_run_group_tests_name("listen", tests, fixture_setup, fixture_teardown);
}
