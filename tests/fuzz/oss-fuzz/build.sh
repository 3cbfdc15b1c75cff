#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds the fuzzers as OSS-Fuzz wants them: compiled by $CC with $CFLAGS, linked with
# $LIB_FUZZING_ENGINE, put into $OUT with their seeds, dictionaries and shared libraries. It is run in
# the repository.
set -euo pipefail
: "${CC:?}" "${OUT:?}" "${LIB_FUZZING_ENGINE:?}"

make -j"$(nproc)" fuzzers FUZZ_DIR=build/oss-fuzz FUZZ_CC="$CC" FUZZ_CFLAGS="${CFLAGS:-}" \
	FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
make fuzz-seeds

mkdir -p "$OUT/lib"
for fuzzer in build/oss-fuzz/fuzz_*; do
	[ -x "$fuzzer" ] || continue
	name=${fuzzer##*/fuzz_}
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || seeds=build/fuzz/golden
	cp "$fuzzer" "$OUT/"
	patchelf --set-rpath "\$ORIGIN/lib" "$OUT/fuzz_$name"
	# What the image that runs them may lack.
	ldd "$fuzzer" | awk '$3 ~ /^\// && $1 !~ /^lib(c|m|rt|dl|pthread|resolv)\.so/ { print $3 }' |
		xargs -r cp -L -t "$OUT/lib"
	python3 -m zipfile -c "$OUT/fuzz_${name}_seed_corpus.zip" "$seeds"/* "build/fuzz/seeds/$name"/*
	if [ -e "tests/fuzz/dictionaries/$name.dict" ]; then
		cp "tests/fuzz/dictionaries/$name.dict" "$OUT/fuzz_$name.dict"
	fi
done
