// SPDX-License-Identifier: BSD-2-Clause
/*
 * What docs/json.md says about doctor. An object that jansson could not make comes out as a NULL
 * at the end: adding NULL to a container fails, and the failure is remembered.
 */
#include "command/doctor_json.h"

#include <errno.h>
#include <jansson.h>

#include "command/checkup.h"
#include "kernel/features.h"

/* Takes over value. Once something could not be made, *all is NULL. */
static void add(json_t **all, const char *key, json_t *value)
{
	if (*all && !json_object_set_new(*all, key, value))
		return;
	json_decref(*all);
	*all = NULL;
}

static void append(json_t **all, json_t *value)
{
	if (*all && !json_array_append_new(*all, value))
		return;
	json_decref(*all);
	*all = NULL;
}

static void add_string(json_t **all, const char *key, const char *s)
{
	if (s && s[0])
		add(all, key, json_string(s));
}

static void add_status(json_t **all, enum checkup_status status)
{
	add_string(all, "status", checkup_status_name(status));
}

/* -- the kernel ------------------------------------------------------------------------------- */

static json_t *requirements(const struct checkup *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->item_count; i++) {
		const struct checkup_item *item = &c->items[i];
		json_t *one = json_object();

		add_string(&one, "name", item->name);
		add_status(&one, item->status);
		add_string(&one, "found", item->found);
		add_string(&one, "effect", item->effect);
		add_string(&one, "fix", item->remedy);
		append(&all, one);
	}
	return all;
}

static json_t *alternatives(const struct checkup_fact *fact)
{
	json_t *all = json_array();

	for (size_t i = 0; i < fact->alternative_count; i++) {
		const struct checkup_alternative *a = &fact->alternatives[i];
		json_t *one = json_object();

		add_string(&one, "kind", hook_kind_name(a->hook->kind));
		add(&one, "available", json_boolean(!a->err));
		if (a->err) {
			add_string(&one, "failed", a->target);
			add(&one, "errno", json_integer(-a->err));
			add_string(&one, "reason", features_explain(a->hook->kind, a->err));
		}
		append(&all, one);
	}
	return all;
}

static json_t *facts(const struct checkup *c)
{
	json_t *all = json_array();

	for (int i = 0; i < FACT_COUNT; i++) {
		const struct checkup_fact *fact = &c->facts[i];
		json_t *one = json_object();

		add_string(&one, "name", fact_name(i));
		add_status(&one, fact->status);
		add_string(&one, "used", fact->used ? hook_kind_name(fact->used->kind) : NULL);
		add(&one, "alternatives", alternatives(fact));
		append(&all, one);
	}
	return all;
}

/* -- processes -------------------------------------------------------------------------------- */

static const char *part_name(enum lib_part part)
{
	static const char *const names[] = {
		[LIB_SSL] = "function",
		[LIB_SSL_STUB] = "stub",
		[LIB_CRYPTO] = "libcrypto function",
	};

	return names[part];
}

static void add_hooks(json_t **process, const struct checkup_process *p)
{
	json_t *hooks = json_array(), *unseen = json_array();

	for (int fact = 0; fact < LIB_FACT_COUNT; fact++) {
		const struct lib_hook *hook = p->hooks[fact];
		json_t *one;

		if (!hook) {
			if (lib_fact_loss(fact))
				append(&unseen, json_string(lib_fact_loss(fact)));
			continue;
		}
		one = json_object();
		add_string(&one, "symbol", hook->symbol);
		add_string(&one, "at", part_name(hook->part));
		append(&hooks, one);
	}
	add(process, "hooks", hooks);
	add(process, "not_seen", unseen);
}

static json_t *processes(const struct checkup *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->process_count; i++) {
		const struct checkup_process *p = &c->processes[i];
		json_t *one = json_object();

		add(&one, "pid", json_integer(p->pid));
		add_status(&one, p->status);
		add_string(&one, "executable", p->exe);
		add_string(&one, "library", p->library);
		add_string(&one, "version", p->version);
		add_hooks(&one, p);
		add_string(&one, "problem", p->problem);
		add(&one, "seccomp", json_boolean(p->seccomp));
		add(&one, "own_mount_namespace", json_boolean(p->other_mounts));
		add_string(&one, "container_id", p->container);
		append(&all, one);
	}
	return all;
}

int doctor_json_print(const struct checkup *c, FILE *file)
{
	json_t *report = json_object();
	int err = 0;

	add_status(&report, c->status);
	add_string(&report, "tlsfail", TLSFAIL_VERSION);
	add(&report, "requirements", requirements(c));
	add(&report, "facts", facts(c));
	add(&report, "processes", processes(c));
	if (!report)
		return -ENOMEM;
	if (json_dumpf(report, file, JSON_COMPACT) || fputc('\n', file) == EOF)
		err = -EIO;
	json_decref(report);
	return err;
}
