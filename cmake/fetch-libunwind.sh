#!/usr/bin/env bash
# Fetches the source of the distribution's own libunwind package into a folder:
#
#     fetch-libunwind.sh FOLDER
#
# leaves FOLDER/source, unpacked and patched. A second run does nothing, unless our patches changed.
#
# Debian's libunwind.a is not position-independent and cannot go into a shared library, hence the
# source. The lists of source packages are kept in a scratch folder, so that the machine's own
# sources and package lists stay as they are and no privileges are needed.
set -euo pipefail

folder=${1:?usage: fetch-libunwind.sh FOLDER}
stamp=$folder/complete
patches=("$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"/libunwind-*.patch)

# Files without which the build cannot work; an interrupted or cleaned-up tree lacks some.
has_all_files() {
    [[ -x $1/configure && -f $1/Makefile.in && -f $1/include/libunwind-common.h.in &&
        -f $1/src/Makefile.in && -f $1/src/ptrace/_UPT_create.c ]]
}

is_done() {
    cat "${patches[@]}" | cmp -s "$stamp" - && has_all_files "$folder/source"
}

if is_done; then
    exit 0
fi

for tool in apt-get dpkg-source patch; do
    if ! command -v "$tool" >/dev/null; then
        echo "fetch-libunwind: $tool is missing; put libunwind's source into $folder/source" >&2
        exit 1
    fi
done

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
stamp=$folder/complete
exec 9>"$folder/lock"
flock 9 # another run may be at it
if is_done; then
    exit 0
fi
rm -rf "$stamp" "$folder/source" "$folder"/fetch.*
scratch=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The machine's own mirrors, asked for source packages only.
mkdir -p "$scratch"/{parts,lists/partial,cache/archives/partial,unpack}
: >"$scratch/sources.list"
list='' parts=''
eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
shopt -s nullglob
for file in "$list" "${parts%/}"/*.list; do
    [[ -f $file ]] || continue
    sed -n -E '/cdrom:/d; s/^[[:space:]]*deb(-src)?([[:space:]])/deb-src\2/p' "$file" \
        >>"$scratch/sources.list"
done
for file in "${parts%/}"/*.sources; do
    sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$scratch/parts/$(basename "$file")"
done
sort -u -o "$scratch/sources.list" "$scratch/sources.list"

apt=(apt-get -q
    -o "Dir::Etc::SourceList=$scratch/sources.list"
    -o "Dir::Etc::SourceParts=$scratch/parts"
    -o "Dir::State::Lists=$scratch/lists"
    -o "Dir::Cache=$scratch/cache"
    -o "APT::Sandbox::User=$(id -un)") # user _apt may be unable to reach the scratch folder

# A mirror without source packages makes the update fail; what counts is whether libunwind is found.
"${apt[@]}" update || true
(cd "$scratch/unpack" && "${apt[@]}" source --download-only libunwind)

# apt-get has checked the archive's signature and every checksum; unpack and patch in the scratch
# folder, so that source/ is there as a whole or not at all.
descriptions=("$scratch"/unpack/*.dsc)
if ((${#descriptions[@]} != 1)); then
    echo "fetch-libunwind: expected one source package, got ${#descriptions[@]}" >&2
    exit 1
fi
dpkg-source --no-check -x "${descriptions[0]}" "$scratch/source"
if ! has_all_files "$scratch/source"; then
    echo "fetch-libunwind: the unpacked source lacks files that the build needs" >&2
    exit 1
fi
for patch in "${patches[@]}"; do
    if ! patch --quiet --strip=1 --directory="$scratch/source" <"$patch"; then
        echo "fetch-libunwind: ${patch##*/} does not fit this version of libunwind" >&2
        exit 1
    fi
done
mv "$scratch/source" "$folder/source"
cat "${patches[@]}" >"$stamp" # last: the stamp says with which patches everything is there
