/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that look like nginx: see fakenginx.h. */
#define _GNU_SOURCE /* pipe2() */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakenginx.h"
#include "fixture.h"

/* A worker writes its pid when its title stands. All of them end by themselves, too. */
static const char source[] =
	"#define _DEFAULT_SOURCE\n"
	"#include <signal.h>\n"
	"#include <stdlib.h>\n"
	"#include <string.h>\n"
	"#include <sys/prctl.h>\n"
	"#include <unistd.h>\n"
	"const char *volatile version = \"nginx version: nginx/1.26.1\";\n"
	"const char *volatile configured = \"configure arguments: --prefix=/opt/fake "
	"--conf-path=/opt/fake/nginx.conf\";\n"
	"static void wake(int sig) { (void)sig; }\n"
	"int main(int argc, char **argv) {\n"
	"	const char *root = getenv(\"FAKE_ROOT\");\n"
	"	size_t len = strlen(argv[0]);\n"
	"	pid_t pid;\n"
	"	if (root && (chroot(root) || chdir(\"/\")))\n"
	"		return 1;\n"
	"	signal(SIGHUP, wake);\n"
	"	alarm(120);\n"
	"	while (fork()) {\n"
	"		pause();\n"
	"	}\n"
	"	signal(SIGHUP, SIG_IGN);\n"
	"	alarm(120);\n"
	"	prctl(PR_SET_PDEATHSIG, SIGKILL);\n"
	"	memset(argv[0], 0, len);\n"
	"	strcpy(argv[0], \"nginx: worker process\");\n"
	"	pid = getpid();\n"
	"	write(1, &pid, sizeof(pid));\n"
	"	for (;;) pause();\n"
	"}\n";

int fakenginx_setup(void **state)
{
	int err = fixture_setup(state);

	return err ? err : fixture_compile("nginx", source, "");
}

static void worker_read(struct fakenginx *nginx)
{
	assert_int_equal(read(nginx->fd, &nginx->worker, sizeof(nginx->worker)),
			 sizeof(nginx->worker));
}

struct fakenginx fakenginx_start(const char *conf, const char *root)
{
	struct fakenginx nginx = { 0 };
	char title[512];
	int ends[2];

	snprintf(title, sizeof(title), "nginx: master process nginx -c %s", conf);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	nginx.master = fork();
	assert_true(nginx.master >= 0);
	if (!nginx.master) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (root)
			setenv("FAKE_ROOT", root, 1);
		dup2(ends[1], 1);
		execl(fixture_path("nginx"), title, (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	nginx.fd = ends[0];
	worker_read(&nginx);
	return nginx;
}

void fakenginx_reload(struct fakenginx *nginx)
{
	/* The kernel counts the start of a process in ticks of 10 ms. */
	const struct timespec ticks = { .tv_nsec = 50000000 };

	nanosleep(&ticks, NULL);
	assert_int_equal(kill(nginx->master, SIGHUP), 0);
	worker_read(nginx);
}

void fakenginx_stop(struct fakenginx *nginx)
{
	char byte;

	if (!nginx->master)
		return;
	kill(nginx->master, SIGKILL);
	waitpid(nginx->master, NULL, 0);
	/* The workers end with it, and have the pipe open for as long as they live. */
	while (read(nginx->fd, &byte, 1) > 0)
		;
	close(nginx->fd);
	*nginx = (struct fakenginx){ 0 };
}
