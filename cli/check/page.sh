#!/usr/bin/env bash
# Opens the page of "./percpu bench --html" in headless Chromium: in a wide window, in dark mode, and in a narrow
# window. Each bar and each point must be where its value is on the scale and have its colour there, pixel by pixel; the
# page must be no wider than its window; each label of the saved results must be in a table; and the page's scripts must
# end without an error.
#
#   page.sh PAGE RESULTS
#
# RESULTS is the directory whose results the page shows. Needs chromium.
set -euo pipefail
page=$1 results=$2
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=testing/check/chromium.sh
source "$here/../../testing/check/chromium.sh"

# It runs after the page's own scripts, in a copy of the page.
cat >"$work/check.html" <<'SCRIPT'
<script>
const wrong = [];
let drawn = 0;
for (const canvas of document.querySelectorAll('canvas')) {
  const chart = Chart.getChart(canvas);
  const title = canvas.closest('section').querySelector('h2').textContent;
  const horizontal = chart.options.indexAxis === 'y';
  const scale = chart.scales[horizontal ? 'x' : 'y'];
  const context = canvas.getContext('2d');
  const at = (x, y) => [...context.getImageData(
    Math.round(x * chart.currentDevicePixelRatio), Math.round(y * chart.currentDevicePixelRatio), 1, 1).data.slice(0, 3)];
  const rgb = colour => [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));
  const near = (one, other) => one.every((part, i) => Math.abs(part - other[i]) < 24);
  const colours = chart.data.datasets.map(dataset => rgb(dataset.backgroundColor));
  chart.data.datasets.forEach((dataset, i) => chart.getDatasetMeta(i).data.forEach((element, j) => {
    if (dataset.data[j] === null) return;
    const where = `${title}: ${dataset.label}, ${chart.data.labels[j]}`;
    if (Math.abs(element[horizontal ? 'x' : 'y'] - scale.getPixelForValue(dataset.data[j])) > 1) {
      wrong.push(`${where} is not where ${dataset.data[j]} is on the scale`);
    }
    // A bar of next to nothing has no inside.
    if (horizontal && Math.abs(element.x - element.base) < 2) return;
    // In a bar, beside the line of its range. The points of lines can lie on each other, and half beside each other.
    const places = horizontal
      ? [[(element.x + element.base) / 2, element.y + element.height / 4]]
      : [-2, -1, 0, 1, 2].map(aside => [element.x, element.y + aside]);
    const found = places.map(([x, y]) => at(x, y));
    if (!found.some(colour => (horizontal ? [colours[i]] : colours).some(expected => near(colour, expected)))) {
      wrong.push(`${where} has the colours ${found.join('; ')}`);
    }
    drawn++;
  }));
}
// What the window was asked to be stands behind the # of the address.
const [width, dark] = location.hash.slice(1).split(',').map(Number);
if (innerWidth !== width) wrong.push(`the window is ${innerWidth} wide, and not ${width}`);
if (matchMedia('(prefers-color-scheme: dark)').matches !== (dark === 1)) wrong.push('the colours are of the other mode');
if (document.documentElement.scrollWidth > width) {
  wrong.push(`the page is ${document.documentElement.scrollWidth} wide, in a window of ${width}`);
}
const result = document.createElement('pre');
result.id = 'checked';
result.textContent = `${document.querySelectorAll('canvas').length} charts, ${drawn} values, ${wrong.length} wrong\n${wrong.join('\n')}`;
document.body.append(result);
</script>
SCRIPT
cat "$page" "$work/check.html" >"$work/page.html"
fail() {
  printf '%s\n' "$@" >&2
  grep 'CONSOLE.*Uncaught' "$work/chromium.log" >&2 || true
  exit 1
}

# In a window so wide, in dark mode or not.
view() {
  local name=$1 width=$2 dark=$3 scheme=$((1 - $3))
  chromium --window-size="$width",1500 --blink-settings=preferredColorScheme="$scheme" --virtual-time-budget=5000 \
    --dump-dom "file://$work/page.html#$width,$dark" >"$work/dom.html"
  ! grep -q 'CONSOLE.*Uncaught' "$work/chromium.log" || fail "$name: a script of the page ended with an error"
  checked=$(sed -n '/<pre id="checked">/,/<\/pre>/p' "$work/dom.html" |
    sed -e 's/.*<pre id="checked">//' -e 's/<\/pre>.*//')
  [[ $checked =~ ^([0-9]+)\ charts,\ ([0-9]+)\ values,\ 0\ wrong ]] &&
    ((BASH_REMATCH[1] > 0 && BASH_REMATCH[2] > 0)) ||
    fail "$name: what the page has drawn is not what it is given" "$checked"
}

# The narrowest window that Chromium has. It makes a single column, as on a phone.
view "in a narrow window" 500 0
view "in dark mode" 1240 1
view "in a wide window" 1240 0

# As they stand in the files, but for the marks of code.
labels=$(cat "$results"/*.json* | grep -v '"unit":""' | sed -n 's/.*"label":"\([^"]*\)".*/\1/p' | tr -d '`' |
  sed -e 's/\\u003c/\&lt;/g' -e 's/\\u003e/\&gt;/g' -e "s/\\\\u0027/'/g" | sort -u)
[[ -n $labels ]] || fail "there are no labels in $results"
while IFS= read -r label; do
  # A label may be the beginning of another one.
  grep -qF -e "<td>$label</td>" -e "<td>$label (floor)</td>" -e "<td>$label (not comparable)</td>" "$work/dom.html" ||
    fail "the page has no row for \"$label\""
done <<<"$labels"
echo "The page has drawn the saved results: ${checked%%,*}, $(wc -l <<<"$labels") labels"
