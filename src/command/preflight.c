// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each refusal is one line that says what to do.
 */
#include "command/preflight.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "kernel/features.h"
#include "system/log.h"
#include "kernel/privileges.h"
#include "kernel/safety.h"
#include "base/text.h"

#define DESCRIPTORS_MIN 128

/* Return probes only where it is proven that they do no harm. */
static bool entry_only_wanted(const struct options *options)
{
	int err;

	if (options->no_return_probes)
		return true;
	err = safety_return_probes();
	if (err == -EKEYREJECTED)
		log_line("on this kernel return probes kill processes under seccomp; using entry "
			 "probes only");
	else if (err)
		log_line("cannot test whether return probes are safe (%s); using entry probes "
			 "only",
			 strerror(-err));
	return err;
}

/* Why the kernel does not let us load even a program that does nothing. */
static void tell_not_permitted(void)
{
	struct privileges own;

	privileges_read(&own);
	log_line("not permitted to load BPF programs%s%s; %s", own.lacking[0] ? ", lacking " : "",
		 own.lacking, own.remedy);
}

static int features_examine(struct features **features)
{
	int err = features_open(features);

	if (err == -EPERM || err == -EACCES) {
		tell_not_permitted();
	} else if (err == -ENOENT) {
		log_line("this kernel has no BTF (/sys/kernel/btf/vmlinux); a kernel with "
			 "CONFIG_DEBUG_INFO_BTF=y is needed");
	} else if (err) {
		log_line("cannot examine the kernel: %s", strerror(-err));
	} else if (features_try_kernel_read()) {
		err = -EPERM;
		log_line("BPF programs may not read kernel memory, as under "
			 "lockdown=confidentiality; boot with lockdown=integrity or none");
	}
	return err;
}

/* Maps, programs and links take about 90 with one library, each further library some twenty; a host with
 * many images has many libraries. With too few, libbpf fails in ways that do not say so. */
static int descriptors_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (limit.rlim_max < DESCRIPTORS_MIN) {
		log_line(
			"only %llu open files are allowed, and %d are needed; raise the limit (ulimit -n, "
			"LimitNOFILE= in a systemd unit)",
			(unsigned long long)limit.rlim_max, DESCRIPTORS_MIN);
		return -EMFILE;
	}
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* the old one may do */
	return 0;
}

int preflight(const struct options *options, struct hook_choice *choice)
{
	struct features *features = NULL;
	char buf[1024];
	struct text error;
	int err;

	err = descriptors_allow();
	if (!err)
		err = features_examine(&features);
	if (err)
		goto out;
	text_init(&error, buf, sizeof(buf));
	err = hooks_choose(features, &options->hooks, choice, &error);
	if (err)
		log_line("%s", buf);
	else
		choice->entry_only = entry_only_wanted(options);
out:
	features_close(features);
	return err;
}
