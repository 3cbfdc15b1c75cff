/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Container ids in control groups' names, as container engines write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/container.h"

#define A64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B64 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void assert_id(const char *cgroup, const char *want)
{
	char id[CONTAINER_ID_LEN] = "untouched";

	assert_int_equal(container_id_find(cgroup, id), want != NULL);
	assert_string_equal(id, want ? want : "untouched");
}

static void test_engines(void **state)
{
	(void)state;
	assert_id("0::/docker/" A64 "\n", A64);
	assert_id("0::/system.slice/docker-" A64 ".scope\n", A64);
	assert_id("0::/machine.slice/libpod-" A64 ".scope/container\n", A64);
	assert_id("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f3a.slice/"
		  "cri-containerd-" A64 ".scope\n",
		  A64);
	assert_id("0::/kubepods/besteffort/pod2c48/" A64 "\n", A64);
	assert_id("0::/system.slice/crio-" A64, A64);
}

static void test_version_1(void **state)
{
	(void)state;
	assert_id("12:cpu,cpuacct:/docker/" A64 "\n11:memory:/docker/" A64 "\n0::/\n", A64);
}

static void test_nested(void **state)
{
	(void)state;
	assert_id("0::/docker/" A64 "/kubelet/kubepods/" B64 "\n", B64);
}

static void test_none(void **state)
{
	(void)state;
	assert_id("", NULL);
	assert_id("0::/\n", NULL);
	assert_id("0::/system.slice/nginx.service\n", NULL);
	assert_id("4:memory:/jobs/0123456789abcdef0123456789abcdef\n", NULL);
	/* one digit more, one digit less, and a word that goes on */
	assert_id("0::/" A64 "0\n", NULL);
	assert_id("0::/docker/1" A64 "\n", NULL);
	assert_id("0::/" A64 "x\n", NULL);
	assert_id("0::/x" A64 "\n", NULL);
	assert_id(A64, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
