# shellcheck shell=bash
# What a virtual machine is made of, from Debian's packages: a kernel, and a root directory with a Java and a busybox.
# Kept in a cache; what is there is not fetched again.
# Sourced by vm-test.sh, which has die and say.

# Without HOME, the tilde is the home directory that the system knows.
readonly cache=${XDG_CACHE_HOME:-~/.cache}/percpu/vm

# The Java, and what its libraries and busybox need. A headless Java that makes no sound and no connection needs
# no more.
readonly root_packages=(openjdk-25-jre-headless libc6 libgcc-s1 libstdc++6 zlib1g busybox-static)

debian_name() {
  case $1 in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
  esac
}

# Runs one of apt's programs for an architecture that need not be this machine's. It has the machine's sources and keys,
# and a state and a cache of its own: nothing on the machine changes.
apt_for() {
  local debian=$1 program=$2 state=$cache/apt/$1
  shift 2
  mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/sources.list.d"
  touch "$state/status"
  "$program" -q -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
    -o Dir::Etc::sourceparts="$state/sources.list.d" -o APT::Architecture="$debian" \
    -o APT::Architectures="$debian" -o APT::Architectures::="$debian" -o APT::Sandbox::User=root "$@"
}

apt_update() {
  apt_for "$1" apt-get update >"$cache/apt/$1/update.log" 2>&1 ||
    die "apt-get could not update the lists for $1; see $cache/apt/$1/update.log"
}

# Gives apt the machine's sources, and fetches their lists.
apt_begin() {
  local debian=$1 source
  local parts=$cache/apt/$debian/sources.list.d
  command -v apt-get >/dev/null || die "the virtual machines are made of Debian's packages, and there is no apt-get"
  rm -rf "$parts"
  mkdir -p "$parts"
  for source in /etc/apt/sources.list.d/*; do
    [[ ! -f $source ]] || cp "$source" "$parts/"
  done
  apt_update "$debian"
}

# Adds Debian's backports, where the newer kernels are, from wherever the machine has Debian from.
apt_add_backports() {
  local debian=$1 uri key
  # shellcheck disable=SC2016 # apt expands it
  read -r uri key < <(apt_for "$debian" apt-get indextargets --format '$(REPO_URI) $(SIGNED_BY)' \
    'Created-By: Packages' 'Codename: trixie' 'Label: Debian') || die "this machine's apt has no Debian 13 (trixie)"
  printf 'deb [signed-by=%s] %s trixie-backports main\n' "$key" "$uri" \
    >"$cache/apt/$debian/sources.list.d/percpu-backports.list"
  apt_update "$debian"
}

# The newest package with a kernel of a version such as 6.12, or nothing. Newer ones have the kernel in linux-binary.
kernel_package() {
  local kind
  for kind in binary image; do
    apt_for "$1" apt-cache pkgnames "linux-$kind-$2." | grep -E "^linux-$kind-[0-9.]+\+deb13[+.0-9]*-cloud-$1\$" || true
  done | sort -t - -k 3V,3 -k 2,2r | tail -n 1
}

# Downloads packages and unpacks them into a directory.
unpack() {
  local debian=$1 directory=$2 package
  shift 2
  rm -rf "$directory"
  mkdir -p "$directory/debs"
  (cd "$directory/debs" && apt_for "$debian" apt-get download "$@") >"$cache/apt/$debian/download.log" 2>&1 ||
    die "apt-get could not download $*; see $cache/apt/$debian/download.log"
  for package in "$directory"/debs/*.deb; do
    # shellcheck disable=SC2016 # dpkg-deb expands it
    dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}\n' "$package"
    dpkg-deb -x "$package" "$directory/root"
  done >"$directory/packages"
}

make_root() {
  local arch=$1 debian=$2 work=$cache/$1/root.work link
  say "fetching the packages of the virtual machine's root directory ($debian)"
  unpack "$debian" "$work" "${root_packages[@]}"
  rm -rf "$work"/root/usr/share "$work"/root/usr/lib/jvm/*/{docs,legal,man}
  for link in bin sbin lib lib64; do
    mkdir -p "$work/root/usr/$link"
    ln -s "usr/$link" "$work/root/$link"
  done
  ln -s usr/lib/jvm/java-25-openjdk-"$debian" "$work/root/java"
  (cd "$work/root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) >"$work/root.cpio"
  mv "$work/packages" "$cache/$arch/root.packages"
  mv "$work/root.cpio" "$cache/$arch/root.cpio"
  rm -rf "$work"
}

make_kernel() {
  local arch=$1 debian=$2 version=$3 work=$cache/$1/kernel.work package
  package=$(kernel_package "$debian" "$version")
  if [[ -z $package ]]; then
    apt_add_backports "$debian"
    package=$(kernel_package "$debian" "$version")
  fi
  [[ -n $package ]] || die "Debian 13 and its backports have no cloud kernel $version for $debian"
  say "fetching $package"
  unpack "$debian" "$work" "$package"
  mv "$work/packages" "$cache/$arch/kernel-$version.packages"
  # In /boot, or with the modules.
  mv "$(find "$work/root" -type f -name 'vmlinuz*')" "$cache/$arch/kernel-$version"
  rm -rf "$work"
}

# Sees to it that the cache has what a virtual machine needs: $cache/ARCH/root.cpio and $cache/ARCH/kernel-VERSION.
fetch() {
  local arch=$1 version=$2 debian
  debian=$(debian_name "$arch")
  mkdir -p "$cache/$arch"
  exec 8<"$cache"
  flock 8
  if [[ ! -e $cache/$arch/root.cpio || ! -e $cache/$arch/kernel-$version ]]; then
    apt_begin "$debian"
    [[ -e $cache/$arch/root.cpio ]] || make_root "$arch" "$debian"
    [[ -e $cache/$arch/kernel-$version ]] || make_kernel "$arch" "$debian" "$version"
  fi
  exec 8<&-
}
