/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the conformance cases on one kind of machine: test-conformance KIND; without a name it lists the kinds. */
#include "target.h"

int main(int argc, char *argv[])
{
	for (unsigned int i = 0; target_kinds[i]; i++) {
		if (argc == 1)
			puts(target_kinds[i]->name);
		else if (!strcmp(target_kinds[i]->name, argv[1]))
			return run_cases(target_kinds[i]);
	}
	return argc != 1;
}
