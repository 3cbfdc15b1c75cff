// SPDX-License-Identifier: BSD-2-Clause
/*
 * What completes the words of a command line in bash, zsh and fish: written from the tables of
 * commands, options and causes, so that it knows what the program knows.
 */
#include "command/completion.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"
#include "command/option_rows.h"
#include "command/printed.h"
#include "diagnose/causes.h"
#include "system/log.h"

/* What a word behind a command is. */
enum completed {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_COMMAND,
	COMPLETE_CAUSE,
	COMPLETE_SHELL,
};

static enum completed completed_by(enum command command)
{
	switch (command) {
	case COMMAND_CAUSES:
		return COMPLETE_CAUSE;
	case COMMAND_HELP:
		return COMPLETE_COMMAND;
	case COMMAND_COMPLETION:
		return COMPLETE_SHELL;
	case COMMAND_REPLAY:
	case COMMAND_TOP:
	case COMMAND_EXPLAIN:
	case COMMAND_LINT:
		return COMPLETE_FILE;
	default:
		return COMPLETE_NOTHING;
	}
}

static bool has_values(const struct option_row *row)
{
	return row->argument && strchr(row->argument, '|');
}

static bool takes_file(const struct option_row *row)
{
	return row->argument && (!strcmp(row->argument, "FILE") || !strcmp(row->argument, "PATH"));
}

/* "a|b|c" with blanks between. */
static void values_print(const char *values)
{
	for (; *values; values++)
		putchar(*values == '|' ? ' ' : *values);
}

/* The words that a command takes, with blanks between. */
static void words_print(enum completed what)
{
	if (what == COMPLETE_SHELL)
		fputs("bash zsh fish", stdout);
	if (what == COMPLETE_COMMAND)
		for (const struct command_row *row = command_table; row->name; row++)
			printf("%s%s", row == command_table ? "" : " ", row->name);
	if (what == COMPLETE_CAUSE)
		for (size_t i = 0; i < cause_count(); i++)
			if (cause_index(cause_at(i)->slug) == i)
				printf("%s%s", i ? " " : "", cause_at(i)->slug);
}

/* Quotes words for inside of '...', with a backslash before the characters that are special. */
static void quoted_print(const char *words, const char *special, const char *quote)
{
	for (; *words; words++) {
		if (*words == '\'')
			fputs(quote, stdout);
		else if (strchr(special, *words))
			printf("\\%c", *words);
		else
			putchar(*words);
	}
}

/* ---- bash ---- */

static void bash_option_values(const struct command_row *command, const struct option_row *row)
{
	if (!row->argument)
		return;
	printf("\t'%s --%s'", command->name, row->name);
	if (row->letter)
		printf(" | '%s -%c'", command->name, row->letter);
	fputs(") ", stdout);
	if (has_values(row)) {
		fputs("mapfile -t COMPREPLY < <(compgen -W '", stdout);
		values_print(row->argument);
		fputs("' -- \"$word\"); ", stdout);
	} else if (takes_file(row)) {
		fputs("mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); ", stdout);
	}
	puts("return ;;");
}

static void bash_command(const struct command_row *command)
{
	enum completed what = completed_by(command->command);
	const struct option_row *row;

	printf("\t%s)\n\t\toptions='", command->name);
	for (size_t i = 0; (row = option_row_at(i)); i++)
		if (row->commands & command->command)
			printf(" --%s", row->name);
	fputs("'\n\t\twords='", stdout);
	words_print(what);
	printf("'\n\t\tfiles=%s ;;\n", what == COMPLETE_FILE ? "1" : "");
}

static void bash_print(void)
{
	const struct option_row *row;

	puts("# tlsfail in bash\n"
	     "_tlsfail()\n{\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
	     "\tlocal command=trace options='' words='' files=''\n\n"
	     "\tCOMPREPLY=()\n"
	     "\t[[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} != -* ]] && command=${COMP_WORDS[1]}\n"
	     "\tcase \"$command $before\" in");
	for (const struct command_row *c = command_table; c->name; c++)
		for (size_t i = 0; (row = option_row_at(i)); i++)
			if (row->commands & c->command)
				bash_option_values(c, row);
	puts("\tesac\n\tcase $command in");
	for (const struct command_row *c = command_table; c->name; c++)
		bash_command(c);
	fputs("\tesac\n\t[[ $COMP_CWORD -eq 1 ]] && words='", stdout);
	words_print(COMPLETE_COMMAND);
	puts("'\n\tif [[ $word == -* ]]; then\n"
	     "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
	     "\telif [[ $files ]]; then\n"
	     "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
	     "\telse\n"
	     "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	     "\tfi\n}\n"
	     "complete -o filenames -F _tlsfail tlsfail");
}

/* ---- zsh ---- */

static void zsh_option(const struct option_row *row, const char *dashes, const char *name)
{
	printf(" \\\n\t\t\t'*%s%s[", dashes, name);
	quoted_print(row->help, "[]:\\", "'\\''");
	putchar(']');
	if (row->argument) {
		fputs(":", stdout);
		quoted_print(has_values(row) ? row->name : row->argument, "[]:\\", "'\\''");
		fputs(":", stdout);
	}
	if (has_values(row)) {
		putchar('(');
		values_print(row->argument);
		putchar(')');
	} else if (takes_file(row)) {
		fputs("_files", stdout);
	}
	putchar('\'');
}

static void zsh_command(const struct command_row *command)
{
	enum completed what = completed_by(command->command);
	const struct option_row *row;

	printf("\t%s)\n\t\t_arguments", command->name);
	for (size_t i = 0; (row = option_row_at(i)); i++) {
		char letter[2] = { row->letter, '\0' };

		if (!(row->commands & command->command))
			continue;
		zsh_option(row, "--", row->name);
		if (row->letter)
			zsh_option(row, "-", letter);
	}
	if (what == COMPLETE_FILE) {
		fputs(" \\\n\t\t\t'*:file:_files'", stdout);
	} else if (what != COMPLETE_NOTHING) {
		fputs(" \\\n\t\t\t'1:word:(", stdout);
		words_print(what);
		fputs(")'", stdout);
	}
	puts(" ;;");
}

static void zsh_print(void)
{
	puts("#compdef tlsfail\n"
	     "_tlsfail()\n{\n"
	     "\tlocal command=trace\n"
	     "\tlocal -a commands\n\n"
	     "\tcommands=(");
	for (const struct command_row *c = command_table; c->name; c++) {
		printf("\t\t'%s:", c->name);
		quoted_print(c->help, ":\\", "'\\''");
		puts("'");
	}
	puts("\t)\n"
	     "\tif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
	     "\t\t_describe command commands\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tif [[ $words[2] != -* ]]; then\n"
	     "\t\tcommand=$words[2]\n"
	     "\t\tshift words\n"
	     "\t\t(( CURRENT-- ))\n"
	     "\tfi\n"
	     "\tcase $command in");
	for (const struct command_row *c = command_table; c->name; c++)
		zsh_command(c);
	puts("\tesac\n}\n"
	     "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
	     "\t_tlsfail \"$@\"\n"
	     "else\n"
	     "\tcompdef _tlsfail tlsfail\n"
	     "fi");
}

/* ---- fish ---- */

static void fish_option(const struct command_row *command, const struct option_row *row)
{
	/* the first command is the one that runs without a name */
	if (command == command_table)
		fputs("complete -c tlsfail -n '__tlsfail_is ", stdout);
	else
		fputs("complete -c tlsfail -n '__fish_seen_subcommand_from ", stdout);
	printf("%s' -l %s", command->name, row->name);
	if (row->letter)
		printf(" -s %c", row->letter);
	if (row->argument)
		fputs(takes_file(row) ? " -rF" : " -x", stdout);
	if (has_values(row)) {
		fputs(" -a '", stdout);
		values_print(row->argument);
		putchar('\'');
	}
	fputs(" -d '", stdout);
	quoted_print(row->help, "\\", "\\'");
	puts("'");
}

static void fish_command(const struct command_row *command)
{
	enum completed what = completed_by(command->command);
	const struct option_row *row;

	printf("complete -c tlsfail -f -n __fish_use_subcommand -a %s -d '", command->name);
	quoted_print(command->help, "\\", "\\'");
	puts("'");
	for (size_t i = 0; (row = option_row_at(i)); i++)
		if (row->commands & command->command)
			fish_option(command, row);
	if (what == COMPLETE_NOTHING)
		return;
	printf("complete -c tlsfail -n '__fish_seen_subcommand_from %s' ", command->name);
	if (what == COMPLETE_FILE) {
		puts("-F");
		return;
	}
	fputs("-f -a '", stdout);
	words_print(what);
	puts("'");
}

static void fish_print(void)
{
	puts("# tlsfail in fish\n"
	     "function __tlsfail_is\n"
	     "    __fish_seen_subcommand_from $argv; or __fish_use_subcommand\n"
	     "end\n"
	     "complete -c tlsfail -f");
	for (const struct command_row *c = command_table; c->name; c++)
		fish_command(c);
}

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", bash_print },
	{ "zsh", zsh_print },
	{ "fish", fish_print },
};

int completion_run(const struct options *options)
{
	for (size_t i = 0; options->argument && i < ARRAY_LEN(shells); i++)
		if (!strcmp(shells[i].name, options->argument)) {
			shells[i].print();
			return printed() ? EXIT_SUCCESS : EXIT_CANNOT;
		}
	log_line("completion takes bash, zsh or fish; such as: source <(tlsfail completion bash)");
	return EXIT_USAGE;
}
