#!/usr/bin/env bash
# "./percpu package-test": builds what is published, twice, and looks at it as a stranger would. What it has to say goes
# to stdout, complaints to stderr. JAVA_HOME is the JDK.
set -euo pipefail

packaging=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
readonly packaging
readonly root=${packaging%/*}
readonly work=$root/target/package-test
# What "./percpu test" looks for is not looked for again. It changes no byte of what is built.
readonly unchecked=(-Dmaven.test.skip=true -Dspotless.check.skip=true -Derror-prone.skip=true)

usage() {
  cat <<'USAGE'
Usage: ./percpu package-test

Builds the artifacts that are published, twice, in two directories, and deploys them to two repositories below
target/package-test. Then it checks:

  - that both builds gave the same bytes;
  - that each artifact is complete, is a module, and is in the BOM;
  - that the API has not changed incompatibly since the commit in packaging/api-baseline, if that is a release;
  - that a new project, which knows only the BOM and the artifacts, compiles against them and runs with them, on the
    class path and on the module path, with native access allowed, warned about, and denied.

The new project is packaging/stranger. docs/testing.md says what a new artifact needs.
USAGE
}

die() {
  printf 'percpu: %s\n' "$1" >&2
  exit "${2:-1}"
}

# Bash calls this also if a signal ends it.
finish() {
  # shellcheck disable=SC2046 # a process each
  kill $(jobs -p) 2>/dev/null || true
  wait 2>/dev/null
}
trap finish EXIT

# Runs a command in a directory: inside DIRECTORY COMMAND... In the background, where nothing that ends this script
# leaves it behind.
inside() {
  (cd "$1" && exec "${@:2}") &
  wait $!
}

# Runs Maven in a directory with its output in a log: maven DIRECTORY LOG ARGUMENT... Two modules at a time: one keeps
# little more than one CPU busy.
maven() {
  inside "$1" mvn -B -ntp -T 2 "${@:3}" >"$2" 2>&1 || {
    tail -n 40 "$2" >&2
    die "Maven failed; the whole log is $2"
  }
}

# What is not published is not built: fills published with Maven's arguments for a directory of sources.
look_for_published() {
  local module
  published=()
  for module in cli example benchmarks stress; do
    # The baseline is from before some of them.
    [[ ! -e $1/$module/pom.xml ]] || published+=(-pl "!$module")
  done
}

# The sources as they are in the work tree, without what was built from them: sources TO
sources() {
  mkdir -p "$1"
  git -C "$root" ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
      # A deleted file is still in git's list.
      [[ ! -e $root/$file ]] || printf '%s\0' "$file"
    done |
    tar -C "$root" --null -T - -c | tar -x -C "$1"
}

# Builds DIRECTORY/sources and deploys to DIRECTORY/repository: build DIRECTORY ARGUMENT...
build() {
  local published
  look_for_published "$1/sources"
  maven "$1/sources" "$1/build.log" -Prelease "${unchecked[@]}" -Dmaven.install.skip=true "${published[@]}" \
    deploy "-DaltDeploymentRepository=test::file:$1/repository" "${@:2}"
}

# The files of a repository with their check sums, and without the time in the name of a snapshot.
listing() (
  cd "$1"
  find . -type f ! -name 'maven-metadata*' ! -name '*.md5' ! -name '*.sha1' -exec sha256sum {} + |
    sed -E 's/-[0-9]{8}\.[0-9]{6}-[0-9]+/-SNAPSHOT/' | sort -k 2
)

# The names of Percpu's artifacts in a file, but for the BOM.
artifacts_in() {
  sed -nE 's/.*<artifactId>(percpu-[a-z0-9-]+)<.*/\1/p; s/^(percpu-[a-z0-9-]+): .*/\1/p' "$1" | grep -vE '^percpu-(bom|parent)$' | sort
}

check_complete() {
  local repository=$1/dev/percpu artifact jar described kind
  deployed=$(find "$repository" -mindepth 1 -maxdepth 1 ! -name percpu-bom -printf '%f\n' | sort)
  for list in "$root/bom/pom.xml" "$packaging/stranger/pom.xml" "$packaging/stranger/expected.txt"; do
    diff <(printf '%s\n' "$deployed") <(artifacts_in "$list") >&2 ||
      die "deployed were the artifacts marked < and not those marked >, which ${list#"$root/"} has"
  done
  for artifact in $deployed; do
    # sources and javadoc: the header for C has no Java.
    for kind in .pom .jar -cyclonedx.json -sources.jar -javadoc.jar; do
      [[ $artifact != percpu-native || $kind != -[sj]* ]] || continue
      compgen -G "$repository/$artifact/*/$artifact-*[0-9T]$kind" >/dev/null || die "$artifact has no $kind"
    done
    jar=$(compgen -G "$repository/$artifact/*/$artifact-*[0-9T].jar")
    described=$("$JAVA_HOME/bin/jar" --describe-module --file "$jar")
    [[ $described == dev.percpu* || ($artifact == percpu-native && $described == *'dev.percpu.header@'*' automatic'*) ]] ||
      die "$jar is no module dev.percpu...: $described"
    # Not the bare name: where that is /percpu, it is also part of what a package is called.
    if grep -l -r -F -e "$root/" -e "file:$root" "$repository/$artifact" --include='*.pom' --include='*.json' >&2; then
      die "the file above has a path of this machine in it"
    fi
  done
  # The library's own bill of materials lists the library and nothing else.
  [[ $(grep -c '"purl"' "$repository"/percpu-core/*/*-cyclonedx.json) == 1 ]] ||
    die "the bill of materials of percpu-core names a dependency, and it has none"
}

# The jars of the baseline, each as ARTIFACT.jar.
build_baseline() {
  local jar name pom published
  git -C "$root" cat-file -e "$baseline^{commit}" 2>/dev/null ||
    die "commit $baseline of packaging/api-baseline is not in this clone; a shallow clone needs: git fetch --unshallow"
  mkdir -p "$work/baseline/sources" "$work/baseline/jars"
  git -C "$root" archive "$baseline" | tar -x -C "$work/baseline/sources"
  look_for_published "$work/baseline/sources"
  maven "$work/baseline/sources" "$work/baseline/build.log" "${unchecked[@]}" "${published[@]}" package
  for jar in "$work"/baseline/sources/*/target/percpu-*.jar; do
    name=${jar##*/}
    cp "$jar" "$work/baseline/jars/${name%-[0-9]*.[0-9]*.[0-9]*}.jar"
  done
  baseline_artifacts=$(cd "$work/baseline/jars" && printf '%s\n' *.jar)
  # An artifact that came later is compared with nothing; japicmp wants a file for that too.
  mkdir "$work/baseline/nothing"
  for pom in "$root"/*/pom.xml; do
    name=$(sed -nE 's/^  <artifactId>(percpu-.*)<.*/\1/p' "$pom")
    [[ -e $work/baseline/jars/$name.jar ]] ||
      "$JAVA_HOME/bin/jar" --create --file "$work/baseline/jars/$name.jar" -C "$work/baseline/nothing" .
  done
}

# An API without a class that the baseline has must be noticed.
check_comparison() {
  local broken=$work/comparison log=$work/comparison.log
  mkdir -p "$broken/classes"
  printf 'package dev.percpu;\npublic final class Gone { private Gone() {} }\n' >"$broken/Gone.java"
  "$JAVA_HOME/bin/javac" -d "$broken/classes" "$broken/Gone.java"
  cp "$work"/two/sources/core/target/percpu-core-*[0-9T].jar "$broken/percpu-core.jar"
  "$JAVA_HOME/bin/jar" --update --file "$broken/percpu-core.jar" -C "$broken/classes" dev/percpu/Gone.class
  if inside "$work/two/sources" mvn -B -ntp "${unchecked[@]}" -pl core -am verify "-Dapi.baseline=$broken" \
    >"$log" 2>&1; then
    die "the comparison of the API did not notice that a class was removed; see $log"
  fi
  grep -q 'dev.percpu.Gone' "$log" || die "the comparison of the API failed for another reason; see $log"
}

report_api() {
  local jar report
  # An artifact that is no more has nobody to compare it.
  for jar in $baseline_artifacts; do
    grep -qs "^  <artifactId>${jar%.jar}<" "$root"/*/pom.xml && continue
    [[ $strict == false ]] || die "the artifact ${jar%.jar} of $baseline is no more"
    printf '  %s: the artifact is no more\n' "${jar%.jar}"
  done
  for report in "$work"/two/sources/*/target/japicmp/*.diff; do
    [[ -e $report ]] || die "the comparison of the API has left no report"
    grep -q '^\(\*\*\*\|---\|+++\)' "$report" || continue
    report=${report#"$work/two/sources/"}
    printf '  %s: %s incompatible changes, %s in all; see %s\n' "${report%%/*}" \
      "$(grep -cE '^\s*(\*\*\*|---|\+\+\+)!' "$work/two/sources/$report" || true)" \
      "$(grep -cE '^\s*(\*\*\*|---|\+\+\+)' "$work/two/sources/$report" || true)" "target/package-test/two/sources/$report"
  done
}

# A new project in an empty directory: it has the repository, Maven's plugins, and nothing of Percpu else.
make_stranger() {
  local fetched jar
  # Where Maven has its plugins: an argument, a setting or an option of its JVM can say so.
  maven "$work/one/sources" "$work/where.log" -X -o -N validate
  fetched=$(sed -n 's/.*Using local repository at //p' "$work/where.log")
  [[ -d $fetched/org/apache/maven/plugins ]] || die "there are no Maven plugins in its local repository, \"$fetched\""
  cp -r "$packaging/stranger" "$work/stranger"
  maven "$work/stranger" "$work/stranger.log" -o -Daether.offline.protocols=file \
    "-Dmaven.repo.local=$work/stranger-repository" "-Dmaven.repo.local.tail=$fetched" \
    "-Dpercpu.repository=file:$work/one/repository" "-Dpercpu.version=$version" \
    compile dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libraries
  # A jar that somebody installed on this machine would be used as well.
  for artifact in $deployed; do
    jar=$(compgen -G "$work/stranger/libraries/$artifact-[0-9]*.jar") || die "the new project has no jar of $artifact"
    cmp "$jar" "$work"/one/repository/dev/percpu/"$artifact"/*/"$artifact"-*[0-9T].jar ||
      die "the new project's $artifact is not the one that was deployed"
  done
}

# Runs the new project: run_stranger PATH ACCESS
run_stranger() {
  local path=$1 access=$2 backend=rseq out=$work/$1-$2
  local -a command=("$JAVA_HOME/bin/java") native=(ALL-UNNAMED)
  [[ $path == class-path ]] || native=(dev.percpu)
  case $access in
    allowed) command+=("--enable-native-access=${native[0]}" --illegal-native-access=deny) ;;
    warned) ;;
    denied) command+=(--illegal-native-access=deny) backend=atomic ;;
  esac
  case $path in
    class-path) command+=(-cp "target/classes:libraries/*" stranger.Main) ;;
    module-path) command+=(-p target/classes:libraries -m stranger/stranger.Main) ;;
  esac
  inside "$work/stranger" "${command[@]}" >"$out.out" 2>"$out.err" || {
    cat "$out.out" "$out.err" >&2
    die "the new project failed on the $path with native access $access: ${command[*]}"
  }
  diff <(printf 'back end: %s\n' "$backend" && cat "$packaging/stranger/expected.txt") "$out.out" >&2 ||
    die "the new project printed the lines marked > on the $path with native access $access; see $out.err"
  if [[ $access == warned ]]; then
    grep -q "^WARNING: .*--enable-native-access=${native[0]}" "$out.err" || die "no warning on the $path; see $out.err"
  elif grep '^WARNING' "$out.err" >&2; then
    die "a warning on the $path with native access $access; see $out.err"
  fi
  [[ $access != denied ]] || grep -q '^reason: .*native access is denied' "$out.err" ||
    die "the reason does not say that native access is denied; see $out.err"
  printf '  %s, native access %s: back end %s, all exact\n' "$path" "$access" "$backend"
}

# All of it.
run() {
  listed=$(git -C "$root" ls-files 2>&1) || die "git does not list the sources of $root: $(tail -n 1 <<<"$listed")"
  rm -rf "$work"
  baseline=$(<"$packaging/api-baseline")

  printf 'The API of %s, to compare with\n' "$baseline"
  build_baseline
  # Until something is released, the API may change, and the comparison only tells how.
  strict=true
  if compgen -G "$work/baseline/sources/core/target/percpu-core-*-SNAPSHOT.jar" >/dev/null; then
    strict=false
  fi

  printf 'Two builds\n'
  sources "$work/one/sources"
  mkdir "$work/two"
  cp -a "$work/one/sources" "$work/two/sources"
  # Not with another umask: archives hold the modes of files.
  TZ=UTC build "$work/one"
  TZ=Pacific/Auckland build "$work/two" "-Dapi.baseline=$work/baseline/jars" "-Dapi.strict=$strict"
  listing "$work/one/repository" >"$work/one.sums"
  listing "$work/two/repository" >"$work/two.sums"
  diff "$work/one.sums" "$work/two.sums" >&2 || die "the files above differ between two builds of the same sources"
  printf '  %s files, byte for byte equal\n' "$(wc -l <"$work/one.sums")"

  check_complete "$work/one/repository"
  report_api
  check_comparison

  printf 'A new project\n'
  version=$(basename "$(compgen -G "$work/one/repository/dev/percpu/percpu-core/[0-9]*")")
  make_stranger
  for path in class-path module-path; do
    for access in allowed warned denied; do
      run_stranger "$path" "$access"
    done
  done
}

if (($# > 0)); then
  [[ $1 == --help || $1 == -h ]] || die "package-test takes no argument, so not \"$1\"; see ./percpu package-test --help" 2
  usage
  exit
fi

# Each run begins by deleting the directory. The lock is on one that no run deletes.
exec 9<"$packaging"
flock -n 9 || die "another package-test is going on in $root"
# Not for what is started: whatever outlives this script, as a process of Maven's, must not keep the lock.
run 9<&-
