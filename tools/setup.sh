# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What ./run and ./check share: which Debian packages they need, how to get those that are missing, and how to
# configure a build tree. Sourced, never run. Guarantees: nothing is written to standard output, and neither network
# nor root is needed when nothing is missing.

# package=probe: the probe succeeds when what we need of the package is there, wherever it came from.
run_packages=(
	'gcc=command -v gcc'
	'libc6-dev=test_header stdlib.h'
	'meson=command -v meson'
	'ninja-build=command -v ninja'
	'pkg-config=command -v pkg-config'
	'python3=command -v python3'
	'libjansson-dev=pkg-config --exists jansson'
	'zlib1g-dev=pkg-config --exists zlib'
)

check_packages=(
	'g++=command -v g++'
	'clang=command -v clang'
	'libclang-rt-14-dev=test_clang_runtime'
	'llvm=command -v llvm-symbolizer'
	'clang-format=command -v clang-format'
	'clang-tidy=command -v clang-tidy'
	'cppcheck=command -v cppcheck'
	'libcmocka-dev=pkg-config --exists cmocka'
	'gcc-aarch64-linux-gnu=command -v aarch64-linux-gnu-gcc'
	'binutils-aarch64-linux-gnu=command -v aarch64-linux-gnu-ld'
	'linux-libc-dev=test_header linux/vfio.h'
	'qemu-system-x86=command -v qemu-system-x86_64'
	'qemu-system-arm=command -v qemu-system-aarch64'
	'valgrind=command -v valgrind'
)

say() {
	printf '%s\n' "$*" >&2
}

test_header() {
	echo "#include <$1>" | gcc -E -x c - -o /dev/null
}

test_clang_runtime() {
	echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c - -o /dev/null
}

# missing_packages ENTRY...: names of the packages whose probe fails, one on a line.
missing_packages() {
	local entry
	for entry; do
		eval "${entry#*=}" >/dev/null 2>&1 || echo "${entry%%=*}"
	done
}

# install_packages ENTRY...: gets what is missing, or says how to and fails.
install_packages() {
	local missing
	read -ra missing <<<"$(missing_packages "$@" | tr '\n' ' ')"
	[[ ${#missing[@]} -gt 0 ]] || return 0
	if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
		say "These packages are missing; install them and try again:"
		say "  sudo apt-get install -y --no-install-recommends ${missing[*]}"
		return 1
	fi
	say "Installing: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >&2; then
		say "apt-get failed; the command was:"
		say "  apt-get install -y --no-install-recommends ${missing[*]}"
		return 1
	fi
}

# usable_tree SOURCE BUILD: BUILD is configured, and for this SOURCE (a copied tree remembers where it came from).
usable_tree() {
	[[ -f $2/build.ninja && -f $2/.source && $(cat "$2/.source") == "$1" ]]
}

# configure_tree SOURCE BUILD OPTION...: configures BUILD anew.
configure_tree() {
	local source=$1 build=$2
	shift 2
	rm -rf "$build"
	mkdir -p "$build"
	meson setup "$build" "$source" "$@" >&2 || {
		rm -rf "$build"
		return 1
	}
	echo "$source" >"$build/.source"
}
