# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Which files of the tree are ours to check. Sourced, never run, in the project's root.

# c_files PATTERN...: the C files, tracked or new, that git does not ignore; outside of a git tree, all of them.
c_files() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do
			[[ ! -f $file ]] || echo "$file"
		done
	else
		local pattern
		for pattern; do
			find . -path ./build -prune -o -name "$pattern" -type f -print
		done | sed 's|^\./||' | sort -u
	fi
}
