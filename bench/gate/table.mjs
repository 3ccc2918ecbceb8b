// The tables of docs/gate.md, from out/gate.json, out/singles.json and out/TOOL.csv. Limits are tuned on one half of
// the pages, and everything that is printed is of the other half.
import fs from 'node:fs';
import { DEFECTS } from './defects.mjs';
import { random } from './random.mjs';

const out = `${import.meta.dirname}/out`, FALSE_ALARMS = 0.05, BOOTSTRAPS = 2000;
// What a program does to its own text that no tool forgives, and what it does to none: compression, rasterising.
const HARD = ['whole-pixels', 'scale-2', 'scale-2-lanczos'];
const MILD = ['jpeg-95', 'jpeg-95-420', 'gpu-raster', 'small-tiles', 'other-build'];
const LAID_OUT_ANEW = 1.5; // pixels: a person sees that something moved so far

// What tools say: tool -> settings -> "page/name" -> value.
const said = new Map();
function say(tool, settings, picture, value) {
  const bySettings = said.get(tool) ?? said.set(tool, new Map()).get(tool);
  (bySettings.get(settings) ?? bySettings.set(settings, new Map()).get(settings)).set(picture, value);
}

const read = file => JSON.parse(fs.readFileSync(`${out}/${file}.json`));
const pictures = [], layouts = read('layouts');
for (const { name, findings } of read('gate').results) {
  const picture = name.replace('.png', ''), [page, kind] = picture.split('/');
  const isDefect = !kind.startsWith('same-'), condition = isDefect ? null : kind.slice(5);
  if (isDefect || layouts[picture] < LAID_OUT_ANEW)
    pictures.push({ picture, page: Number(page), kind, isDefect, condition });
  say('gate', '', picture, Math.max(0, ...(findings ?? []).map(({ value, limit }) => value / limit)));
}
const SINGLES = ['lpips-lite', 'lpips-lite patch:64', 'lpips-alex', 'lpips-alex patch:64', 'dssim'];
for (const { name, findings } of read('singles').results) {
  const values = new Map((findings ?? []).map(({ witness, value }) => [witness, value]));
  for (const single of SINGLES)
    if (values.has(single) || values.size === 0) // dssim is half of 1 - SSIM
      say(single === 'dssim' ? 'SSIM' : single, '', name.replace('.png', ''),
        (values.get(single) ?? 0) * (single === 'dssim' ? 2 : 1));
}
const PEERS = ['pixelmatch', 'odiff', 'looks-same', 'blazediff', 'ssim.js'];
for (const tool of PEERS)
  for (const line of fs.readFileSync(`${out}/${tool}.csv`, 'utf8').trim().split('\n').slice(1)) {
    const [page, name, settings, value] = line.split(',');
    say(tool, settings, `${page}/${name}`, Number(value));
  }
const DEFAULT_SETTINGS = {
  pixelmatch: '0.1 false', blazediff: '0.1 false', odiff: '0.1 false', 'looks-same': '2.3 true', 'ssim.js': 'weber',
};
const DEFAULTS = { gate: 1, SSIM: 0.02, 'ssim.js': 0.02 }; // the others: any pixel

// The halves.
const pages = [...new Set(pictures.map(({ page }) => page))].sort((a, b) => a - b), next = random(22);
for (let k = pages.length - 1; k > 0; k--) {
  const other = next.below(k + 1);
  [pages[k], pages[other]] = [pages[other], pages[k]];
}
const tuning = new Set(pages.slice(0, pages.length / 2));

const share = (list, test) => list.length === 0 ? NaN : list.filter(test).length / list.length;
const percent = number => (100 * number).toFixed(0);

// The least limit that at most the wanted share of unchanged pictures exceeds.
function limitOf(values, unchanged) {
  const sorted = unchanged.map(({ picture }) => values.get(picture)).sort((a, b) => b - a);
  return sorted[Math.floor(FALSE_ALARMS * sorted.length)] ?? 0;
}

// Settings and limit with which most of the tuning half is found.
function tuned(tool, world) {
  let best = null;
  for (const [settings, values] of said.get(tool)) {
    const half = world.filter(({ page, picture }) => tuning.has(page) && values.has(picture));
    const [unchanged, defects] = [half.filter(each => !each.isDefect), half.filter(each => each.isDefect)];
    const limit = limitOf(values, unchanged);
    const found = share(defects, ({ picture }) => values.get(picture) > limit);
    if (best === null || found > best.found)
      best = { settings, values, limit, found };
  }
  return best;
}

// The 95 % interval of a share, by bootstrap of pages.
function interval(list, test) {
  const byPage = new Map();
  for (const each of list) {
    const counts = byPage.get(each.page) ?? byPage.set(each.page, [0, 0]).get(each.page);
    counts[0] += test(each);
    counts[1]++;
  }
  const counts = [...byPage.values()], draw = random(1);
  const shares = Array.from({ length: BOOTSTRAPS }, () => {
    let [found, all] = [0, 0];
    for (let k = 0; k < counts.length; k++) {
      const [f, a] = draw.of(counts);
      [found, all] = [found + f, all + a];
    }
    return found / all;
  }).sort((a, b) => a - b);
  return `[${percent(shares[Math.floor(0.025 * BOOTSTRAPS)])}, ${percent(shares[Math.ceil(0.975 * BOOTSTRAPS) - 1])}]`;
}

function tables(title, world) {
  const rest = world.filter(({ page }) => !tuning.has(page));
  const [unchanged, defects] = [rest.filter(each => !each.isDefect), rest.filter(each => each.isDefect)];
  console.log(`\n## ${title}: ${defects.length} defects, ${unchanged.length} unchanged pictures\n`);
  console.log('| tool | found by default | false alarms | settings, limit tuned to 5 % | found | false alarms |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const chosen = new Map();
  for (const tool of said.keys()) {
    const values = said.get(tool).get(DEFAULT_SETTINGS[tool] ?? '');
    const limit = DEFAULTS[tool] ?? (PEERS.includes(tool) ? 0 : null);
    const best = tuned(tool, world), isKnown = ({ picture }) => values.has(picture);
    const known = [defects.filter(isKnown), unchanged.filter(isKnown)];
    const cells = test =>
      `${percent(share(known[0], test))} ${interval(known[0], test)} | ${percent(share(known[1], test))}`;
    const aboveBest = ({ picture }) => best.values.get(picture) > best.limit;
    if (tool === 'gate')
      chosen.set('gate by default', { isKnown, above: ({ picture }) => values.get(picture) > limit });
    chosen.set(tool, { isKnown, above: aboveBest });
    const missing = rest.length - known[0].length - known[1].length;
    console.log(`| ${tool}${missing > 0 ? ` (without ${missing} pictures)` : ''} | `
      + `${limit === null ? ' | ' : cells(({ picture }) => values.get(picture) > limit)} | `
      + `${`${best.settings} > ${Number(best.limit.toPrecision(3))}`.trim()} | ${cells(aboveBest)} |`);
  }
  const kinds = [...new Set(Object.values(DEFECTS))];
  const row = (name, some) => console.log(`| ${name} | ${some.length} | ${[...chosen.values()].map(
    ({ isKnown, above }) => percent(share(some.filter(isKnown), above))).join(' | ')} |`);
  const head = name => console.log(
    `\n| ${name} | of | ${[...chosen.keys()].join(' | ')} |\n| --- | --- |${' --- |'.repeat(chosen.size)}`);
  head('planted');
  for (const kind of kinds)
    row(kind, defects.filter(each => DEFECTS[each.kind] === kind));
  head('unchanged');
  for (const condition of new Set(unchanged.map(each => each.condition)))
    row(condition, unchanged.filter(each => each.condition === condition));
}

const under = test => pictures.filter(({ condition, isDefect }) => isDefect || test(condition));
tables('All conditions', pictures);
tables('Without text at whole pixels and scale 2', under(condition => !HARD.includes(condition)));
tables('Only compression and rasterising', under(condition => MILD.includes(condition)));
